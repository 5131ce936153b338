namespace Filter.Perplexity;

/// <summary>What a text costs under a model.</summary>
/// <param name="Bits">Bits a character.</param>
/// <param name="Characters">Characters that were counted.</param>
internal readonly record struct TextCost(double Bits, double Characters);

/// <summary>A model of what texts of a language are like. Learns from one thread, then judges from several.</summary>
internal interface ITextModel
{
    /// <summary>Learns a text.</summary>
    void Add(string text);

    /// <summary>Bits a character of a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="wasAdded">Whether the text is among those learnt: then its own counts do not count.</param>
    TextCost Cost(string text, bool wasAdded);
}
