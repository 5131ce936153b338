namespace Constraint.ToolCalls;

/// <summary>Behind the quotation mark that opens a string: valid UTF-8, with escapes, but for those of halves of surrogate pairs.</summary>
/// <param name="least">Characters at least, by code points.</param>
/// <param name="most">At most; <see cref="long.MaxValue"/>: any number.</param>
/// <param name="next">Behind the closing mark.</param>
internal sealed class StringPlace(long least, long most, Place next) : Place
{
    private enum In
    {
        Text, Escape, Hex4, HexBehindD, Hex3, Hex2, Hex1, Tail1, Tail2, Tail3, TailE0, TailED, TailF0, TailF4,
    }

    public override bool Read(byte value, ref Cursor cursor)
    {
        var within = (In)cursor.Within;
        if (within == In.Text)
        {
            if (value == '"') return cursor.Value >= least && cursor.Go(next);
            if (cursor.Value >= most) return false;
        }
        if (Next(within, value) is not { } then) return false;
        // Once no count matters any more, all are one place.
        if (then == In.Text && (most != long.MaxValue || cursor.Value < least)) cursor.Value++;
        cursor.Within = (int)then;
        return true;
    }

    private static In? Next(In within, byte value)
    {
        var tail = value is >= 0x80 and <= 0xBF;
        var hex = char.IsAsciiHexDigit((char)value);
        return within switch
        {
            In.Text => First(value),
            In.Escape => value == 'u' ? In.Hex4 : "\"\\/bfnrt".Contains((char)value, StringComparison.Ordinal) ? In.Text : null,
            In.Hex4 when value is (byte)'d' or (byte)'D' => In.HexBehindD,
            In.Hex4 when hex => In.Hex3,
            In.HexBehindD when value is >= (byte)'0' and <= (byte)'7' => In.Hex2,
            In.Hex3 when hex => In.Hex2,
            In.Hex2 when hex => In.Hex1,
            In.Hex1 when hex => In.Text,
            In.Tail1 when tail => In.Text,
            In.Tail2 when tail => In.Tail1,
            In.Tail3 when tail => In.Tail2,
            In.TailE0 when value is >= 0xA0 and <= 0xBF => In.Tail1,
            In.TailED when value is >= 0x80 and <= 0x9F => In.Tail1,
            In.TailF0 when value is >= 0x90 and <= 0xBF => In.Tail2,
            In.TailF4 when value is >= 0x80 and <= 0x8F => In.Tail2,
            _ => null,
        };
    }

    private static In? First(byte value) => value switch
    {
        (byte)'\\' => In.Escape,
        < 0x20 => null,
        < 0x80 => In.Text,
        >= 0xC2 and <= 0xDF => In.Tail1,
        0xE0 => In.TailE0,
        0xED => In.TailED,
        >= 0xE1 and <= 0xEF => In.Tail2,
        0xF0 => In.TailF0,
        0xF4 => In.TailF4,
        >= 0xF1 and <= 0xF3 => In.Tail3,
        _ => null,
    };
}
