namespace Constraint.JsonObject;

/// <summary>Where in the grammar the next byte stands.</summary>
internal enum JsonPlace : byte
{
    /// <summary>Before the answer's object.</summary>
    Start,

    /// <summary>Behind it: nothing may come.</summary>
    Done,

    /// <summary>A key or the end of an object.</summary>
    FirstKey,

    /// <summary>A key.</summary>
    Key,

    /// <summary>The colon behind a key.</summary>
    Colon,

    /// <summary>A value or the end of an array.</summary>
    FirstItem,

    /// <summary>A value.</summary>
    Value,

    /// <summary>A comma, or the end of what the value stands in.</summary>
    AfterValue,

    /// <summary>Between two characters of a string.</summary>
    Text,

    /// <summary>Behind a string's backslash.</summary>
    Escape,

    /// <summary>The first of four hexadecimal digits.</summary>
    Hex4,

    /// <summary>The second, behind a D: what would be half of a surrogate pair is left out.</summary>
    HexBehindD,

    /// <summary>Three more.</summary>
    Hex3,

    /// <summary>Two more.</summary>
    Hex2,

    /// <summary>One more.</summary>
    Hex1,

    /// <summary>One more byte of a character.</summary>
    Tail1,

    /// <summary>Two more.</summary>
    Tail2,

    /// <summary>Three more.</summary>
    Tail3,

    /// <summary>Two more behind E0: not what fits in fewer bytes.</summary>
    TailE0,

    /// <summary>Two more behind ED: no surrogates.</summary>
    TailED,

    /// <summary>Three more behind F0: not what fits in fewer bytes.</summary>
    TailF0,

    /// <summary>Three more behind F4: not beyond U+10FFFF.</summary>
    TailF4,

    /// <summary>A digit behind a minus.</summary>
    Minus,

    /// <summary>Behind a leading zero.</summary>
    Zero,

    /// <summary>Behind a digit of a number's whole part.</summary>
    Whole,

    /// <summary>A digit behind the decimal point.</summary>
    Point,

    /// <summary>Behind a digit of the fraction.</summary>
    Fraction,

    /// <summary>A sign or digit behind an e.</summary>
    Exponent,

    /// <summary>A digit behind the exponent's sign.</summary>
    ExponentSign,

    /// <summary>Behind a digit of the exponent.</summary>
    ExponentDigits,

    /// <summary>Within <c>true</c>, <c>false</c> or <c>null</c>.</summary>
    Word,
}
