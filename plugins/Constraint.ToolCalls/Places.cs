using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>A place of the grammar.</summary>
internal abstract class Place
{
    /// <summary>Whether an answer may end before the next byte.</summary>
    public virtual bool MayEnd => false;

    /// <summary>Reads a byte and goes on; false: it may not come here.</summary>
    public abstract bool Read(byte value, ref Cursor cursor);
}

/// <summary>Any text, until a call begins.</summary>
internal sealed class FreeText : Place
{
    /// <summary>What comes behind the mark that begins a call; null: such marks are text like any other.</summary>
    public Place? Call { get; set; }

    public override bool MayEnd => true;

    // The mark's first letter is in it once, so that a failed match can begin anew with the byte at hand alone.
    public override bool Read(byte value, ref Cursor cursor)
    {
        if (Call is null) return true;
        cursor.Within = value == CallText.Begin[cursor.Within] ? cursor.Within + 1 : value == CallText.Begin[0] ? 1 : 0;
        return cursor.Within < CallText.Begin.Length || cursor.Go(Call);
    }
}

/// <summary>Behind a call that was asked for: another one, or the end.</summary>
internal sealed class Behind : Place
{
    public Place? Call { get; set; }

    public override bool MayEnd => true;

    public override bool Read(byte value, ref Cursor cursor) => cursor.Pass(Call!, value);
}

/// <summary>One text.</summary>
/// <param name="bytes">Its bytes, at least one.</param>
/// <param name="next">What is behind it.</param>
internal sealed class Letters(byte[] bytes, Place next) : Place
{
    public override bool Read(byte value, ref Cursor cursor)
    {
        if (value != bytes[cursor.Within]) return false;
        return ++cursor.Within < bytes.Length || cursor.Go(next);
    }
}

/// <summary>One of several bytes, each of which leads somewhere.</summary>
/// <param name="edges">Where bytes lead.</param>
/// <param name="otherwise">Reads any other byte; null: none may come.</param>
internal sealed class Fork(IReadOnlyDictionary<byte, Place> edges, Place? otherwise) : Place
{
    public override bool Read(byte value, ref Cursor cursor) => edges.TryGetValue(value, out var next) ? cursor.Go(next) : otherwise is not null && cursor.Pass(otherwise, value);
}

/// <summary>Values of several types, told apart by their first byte.</summary>
internal sealed class OneOf(IReadOnlyList<Place> values) : Place
{
    public override bool Read(byte value, ref Cursor cursor)
    {
        foreach (var place in values)
        {
            var tried = cursor;
            if (!tried.Pass(place, value)) continue;
            cursor = tried;
            return true;
        }
        return false;
    }
}

/// <summary>Behind the bracket that opens an array.</summary>
internal sealed class FirstItem(int level, long least, long most, Place item, Place next) : Place
{
    public override bool Read(byte value, ref Cursor cursor)
    {
        if (value == ']') return least == 0 && cursor.Go(next);
        cursor.Items[level] = 1;
        return most > 0 && cursor.Pass(item, value);
    }
}

/// <summary>Behind an item of an array.</summary>
internal sealed class AfterItem(int level, long least, long most, Place next) : Place
{
    /// <summary>The blank and the item behind a comma.</summary>
    public Place? Another { get; set; }

    public override bool Read(byte value, ref Cursor cursor)
    {
        var count = cursor.Items[level];
        if (value == ',' && count < most)
        {
            // Once no count matters any more, all are one place.
            if (most != long.MaxValue || count < least) cursor.Items[level] = count + 1;
            return cursor.Go(Another!);
        }
        if (value != ']' || count < least) return false;
        cursor.Items[level] = 0;
        return cursor.Go(next);
    }
}
