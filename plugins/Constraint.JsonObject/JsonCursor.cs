namespace Constraint.JsonObject;

/// <summary>A place in a JSON text and all that leads on from it; a copy goes on by itself.</summary>
internal struct JsonCursor
{
    private const string Words = "true false null ";

    private ulong arrays;  // one bit for each object or array that is open: whether it is an array

    /// <summary>Where in the grammar it is.</summary>
    public JsonPlace Place;

    /// <summary>Objects and arrays that are open.</summary>
    public byte Depth;

    /// <summary>Blanks in a row just before it, outside of strings.</summary>
    public byte Blanks;

    /// <summary>Whether the string that it is in is a key.</summary>
    public bool InKey;

    /// <summary>Which letter of <see cref="Words"/> comes next, within a word.</summary>
    public byte Letter;

    /// <summary>Whether the innermost that is open is an array.</summary>
    public readonly bool InArray => Depth > 0 && (arrays >> (Depth - 1) & 1) == 1;

    /// <summary>The same place within a single object or array of the same kind.</summary>
    public readonly JsonCursor Alone() => this with { Depth = (byte)Math.Min((int)Depth, 1), arrays = InArray ? 1UL : 0 };

    /// <summary>A number for everything that it is but for what lies around the innermost object or array.</summary>
    public readonly int Key => ((((int)Place * 64 + Letter) * 2 + (InKey ? 1 : 0)) * 2 + (InArray ? 1 : 0)) * 128 + Blanks;

    /// <summary>Reads some bytes; false: they may not come here, and the cursor is of no more use.</summary>
    public bool Read(ReadOnlySpan<byte> bytes, int mostDepth, int mostBlanks)
    {
        foreach (var value in bytes)
            if (!Read(value, mostDepth, mostBlanks)) return false;
        return true;
    }

    /// <summary>Reads a byte; false: it may not come here.</summary>
    public bool Read(byte value, int mostDepth, int mostBlanks)
    {
        if (value is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' && Blank(mostBlanks) is { } blank) return blank;
        Blanks = 0;
        return Place switch
        {
            JsonPlace.Start => value == '{' && Open(false, mostDepth),
            JsonPlace.FirstKey => value == '}' ? Close(false) : value == '"' && String(true),
            JsonPlace.Key => value == '"' && String(true),
            JsonPlace.Colon => value == ':' && Go(JsonPlace.Value),
            JsonPlace.FirstItem => value == ']' ? Close(true) : Begin(value, mostDepth),
            JsonPlace.Value => Begin(value, mostDepth),
            JsonPlace.AfterValue => Follow(value),
            JsonPlace.Done => false,
            JsonPlace.Word => Spell(value),
            >= JsonPlace.Text and <= JsonPlace.TailF4 => Character(value),
            _ => Number(value),
        };
    }

    // Null: within a string or word, where a blank is like any other byte. It ends a number.
    private bool? Blank(int mostBlanks)
    {
        if (Place is >= JsonPlace.Text and <= JsonPlace.TailF4 or JsonPlace.Word) return null;
        if (Place is JsonPlace.Done || Blanks >= mostBlanks) return false;
        if (Place >= JsonPlace.Minus && !(NumberMayEnd() && Go(JsonPlace.AfterValue))) return false;
        Blanks++;
        return true;
    }

    private bool Go(JsonPlace place)
    {
        Place = place;
        return true;
    }

    private bool String(bool key)
    {
        InKey = key;
        return Go(JsonPlace.Text);
    }

    private bool Open(bool array, int mostDepth)
    {
        if (Depth >= mostDepth) return false;
        arrays = array ? arrays | 1UL << Depth : arrays & ~(1UL << Depth);
        Depth++;
        return Go(array ? JsonPlace.FirstItem : JsonPlace.FirstKey);
    }

    private bool Close(bool array)
    {
        if (InArray != array) return false;
        Depth--;
        return Go(Depth == 0 ? JsonPlace.Done : JsonPlace.AfterValue);
    }

    private bool Begin(byte value, int mostDepth) => value switch
    {
        (byte)'"' => String(false),
        (byte)'{' => Open(false, mostDepth),
        (byte)'[' => Open(true, mostDepth),
        (byte)'-' => Go(JsonPlace.Minus),
        (byte)'0' => Go(JsonPlace.Zero),
        >= (byte)'1' and <= (byte)'9' => Go(JsonPlace.Whole),
        (byte)'t' or (byte)'f' or (byte)'n' => Spell(value, Words.IndexOf((char)value, StringComparison.Ordinal)),
        _ => false,
    };

    private bool Follow(byte value) => value switch
    {
        (byte)',' => Go(InArray ? JsonPlace.Value : JsonPlace.Key),
        (byte)'}' => Close(false),
        (byte)']' => Close(true),
        _ => false,
    };

    private bool Spell(byte value) => Spell(value, Letter);

    private bool Spell(byte value, int at)
    {
        if (value != Words[at]) return false;
        Letter = (byte)(at + 1);
        if (Words[Letter] != ' ') return Go(JsonPlace.Word);
        Letter = 0;
        return Go(JsonPlace.AfterValue);
    }

    private readonly bool NumberMayEnd() => Place is JsonPlace.Zero or JsonPlace.Whole or JsonPlace.Fraction or JsonPlace.ExponentDigits;

    private bool Number(byte value)
    {
        var digit = value is >= (byte)'0' and <= (byte)'9';
        JsonPlace? next = Place switch
        {
            JsonPlace.Minus when digit => value == '0' ? JsonPlace.Zero : JsonPlace.Whole,
            JsonPlace.Whole when digit => JsonPlace.Whole,
            JsonPlace.Point or JsonPlace.Fraction when digit => JsonPlace.Fraction,
            JsonPlace.Exponent or JsonPlace.ExponentSign or JsonPlace.ExponentDigits when digit => JsonPlace.ExponentDigits,
            JsonPlace.Zero or JsonPlace.Whole when value == '.' => JsonPlace.Point,
            JsonPlace.Zero or JsonPlace.Whole or JsonPlace.Fraction when value is (byte)'e' or (byte)'E' => JsonPlace.Exponent,
            JsonPlace.Exponent when value is (byte)'+' or (byte)'-' => JsonPlace.ExponentSign,
            _ => null,
        };
        return next is { } place ? Go(place) : NumberMayEnd() && Follow(value);
    }

    private bool Character(byte value)
    {
        JsonPlace? next = Place switch
        {
            JsonPlace.Text => Plain(value),
            JsonPlace.Escape => value == 'u' ? JsonPlace.Hex4 : "\"\\/bfnrt".Contains((char)value, StringComparison.Ordinal) ? JsonPlace.Text : null,
            JsonPlace.Hex4 when value is (byte)'d' or (byte)'D' => JsonPlace.HexBehindD,
            JsonPlace.Hex4 when char.IsAsciiHexDigit((char)value) => JsonPlace.Hex3,
            JsonPlace.HexBehindD when value is >= (byte)'0' and <= (byte)'7' => JsonPlace.Hex2,
            JsonPlace.Hex3 when char.IsAsciiHexDigit((char)value) => JsonPlace.Hex2,
            JsonPlace.Hex2 when char.IsAsciiHexDigit((char)value) => JsonPlace.Hex1,
            JsonPlace.Hex1 when char.IsAsciiHexDigit((char)value) => JsonPlace.Text,
            JsonPlace.Tail1 when value is >= 0x80 and <= 0xBF => JsonPlace.Text,
            JsonPlace.Tail2 when value is >= 0x80 and <= 0xBF => JsonPlace.Tail1,
            JsonPlace.Tail3 when value is >= 0x80 and <= 0xBF => JsonPlace.Tail2,
            JsonPlace.TailE0 when value is >= 0xA0 and <= 0xBF => JsonPlace.Tail1,
            JsonPlace.TailED when value is >= 0x80 and <= 0x9F => JsonPlace.Tail1,
            JsonPlace.TailF0 when value is >= 0x90 and <= 0xBF => JsonPlace.Tail2,
            JsonPlace.TailF4 when value is >= 0x80 and <= 0x8F => JsonPlace.Tail2,
            _ => null,
        };
        if (next is not { } place) return false;
        if (place is JsonPlace.Colon or JsonPlace.AfterValue) InKey = false;
        return Go(place);
    }

    private readonly JsonPlace? Plain(byte value) => value switch
    {
        (byte)'"' => InKey ? JsonPlace.Colon : JsonPlace.AfterValue,
        (byte)'\\' => JsonPlace.Escape,
        < 0x20 => null,
        < 0x80 => JsonPlace.Text,
        >= 0xC2 and <= 0xDF => JsonPlace.Tail1,
        0xE0 => JsonPlace.TailE0,
        0xED => JsonPlace.TailED,
        >= 0xE1 and <= 0xEF => JsonPlace.Tail2,
        0xF0 => JsonPlace.TailF0,
        0xF4 => JsonPlace.TailF4,
        >= 0xF1 and <= 0xF3 => JsonPlace.Tail3,
        _ => null,
    };
}
