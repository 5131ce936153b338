using System.Runtime.CompilerServices;

namespace Constraint.ToolCalls;

/// <summary>Where an answer is in the grammar; a copy goes on by itself.</summary>
internal struct Cursor : IEquatable<Cursor>
{
    /// <summary>The place whose byte comes next.</summary>
    public Place At;

    /// <summary>Where within it.</summary>
    public int Within;

    /// <summary>What it counts: letters of a string, a number's value.</summary>
    public long Value;

    /// <summary>Items of the arrays around, from the outermost.</summary>
    public Counts Items;

    /// <summary>Goes to the beginning of a place.</summary>
    public bool Go(Place place)
    {
        (At, Within, Value) = (place, 0, 0);
        return true;
    }

    /// <summary>Reads a byte; false: it may not come here, and the cursor is of no more use.</summary>
    public bool Read(byte value) => At.Read(value, ref this);

    /// <summary>Goes to a place, and it reads the byte.</summary>
    public bool Pass(Place place, byte value)
    {
        Go(place);
        return place.Read(value, ref this);
    }

    public readonly bool Equals(Cursor other) => ReferenceEquals(At, other.At) && Within == other.Within && Value == other.Value && ((ReadOnlySpan<int>)Items).SequenceEqual(other.Items);

    public override readonly bool Equals(object? obj) => obj is Cursor other && Equals(other);

    public override readonly int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(RuntimeHelpers.GetHashCode(At));
        hash.Add(Within);
        hash.Add(Value);
        foreach (var count in Items) hash.Add(count);
        return hash.ToHashCode();
    }
}

/// <summary>A count for each array around.</summary>
[InlineArray(MostArrays)]
internal struct Counts
{
    /// <summary>As many may lie within each other.</summary>
    public const int MostArrays = 8;

    private int first;
}
