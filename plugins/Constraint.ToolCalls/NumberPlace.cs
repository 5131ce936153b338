namespace Constraint.ToolCalls;

/// <summary>
/// A number within bounds, without an exponent. A digit may come if some number within the bounds begins like that; a fraction if the whole numbers on both sides of it are within them.
/// </summary>
/// <param name="least">The least.</param>
/// <param name="most">The most, not below <paramref name="least"/>.</param>
/// <param name="fractions">Whether it need not be whole.</param>
/// <param name="next">What follows the number and ends it.</param>
internal sealed class NumberPlace(long least, long most, bool fractions, Place next) : Place
{
    /// <summary>Numbers beyond are not written: all up to here are exact in a double.</summary>
    public const long Furthest = 999_999_999_999_999;

    private const int MostDecimals = 6;

    private enum In
    {
        Start, Minus, Positive, Negative, Point, Fraction,
    }

    public override bool Read(byte value, ref Cursor cursor)
    {
        var digit = value is >= (byte)'0' and <= (byte)'9';
        switch ((In)cursor.Within)
        {
            case In.Start when value == '-':
                return (least < 0 || (fractions && MayBreak(0, true))) && To(ref cursor, In.Minus, 0);
            case In.Start when digit:
                return Begins(value - '0', false) && To(ref cursor, In.Positive, value - '0');
            case In.Minus when digit:
                return Begins(value - '0', true) && To(ref cursor, In.Negative, value - '0');
            case In.Positive or In.Negative:
                var negative = (In)cursor.Within == In.Negative;
                if (digit) return cursor.Value > 0 && Leads(10 * cursor.Value + value - '0', negative) && To(ref cursor, (In)cursor.Within, 10 * cursor.Value + value - '0');
                if (value == '.') return fractions && MayBreak(cursor.Value, negative) && To(ref cursor, In.Point, 0);
                return MayEndAt(cursor.Value, negative) && cursor.Pass(next, value);
            case In.Point when digit:
                return To(ref cursor, In.Fraction, 1);
            case In.Fraction when digit:
                return cursor.Value < MostDecimals && To(ref cursor, In.Fraction, cursor.Value + 1);
            case In.Fraction:
                return cursor.Pass(next, value);
            default:
                return false;
        }
    }

    private static bool To(ref Cursor cursor, In within, long value)
    {
        (cursor.Within, cursor.Value) = ((int)within, value);
        return true;
    }

    // A zero stands alone; with a minus it needs a fraction.
    private bool Begins(int digit, bool negative) => digit > 0 ? Leads(digit, negative) : (!negative && MayEndAt(0, false)) || (fractions && MayBreak(0, negative));

    /// <summary>Whether digits that go on from here can come to a number within the bounds.</summary>
    private bool Leads(long value, bool negative)
    {
        var (low, high) = negative ? (-most, -least) : (least, most);
        for (long scale = 1; value <= high / scale; scale *= 10)
            if (value * scale + scale - 1 >= low) return true;
        return false;
    }

    private bool MayEndAt(long value, bool negative) => !(negative && value == 0) && (negative ? -value : value) is var number && number >= least && number <= most;

    private bool MayBreak(long value, bool negative) => negative ? -value - 1 >= least && -value <= most : value >= least && value + 1 <= most;
}
