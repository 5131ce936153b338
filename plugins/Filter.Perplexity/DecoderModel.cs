using PluginHost.Sdk;

namespace Filter.Perplexity;

/// <summary>A trained decoder as a model of texts. What it has learnt it has learnt: texts that are added are only scored together.</summary>
internal sealed class DecoderModel(ITextScorer scorer, string prompt, CancellationToken cancellation) : ITextModel
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, TextCost> costs = [];
    private readonly HashSet<string> pending = [];

    public void Add(string text)
    {
        lock (gate)
            if (!costs.ContainsKey(text)) pending.Add(text);
    }

    public TextCost Cost(string text, bool wasAdded)
    {
        lock (gate)
        {
            if (costs.TryGetValue(text, out var known)) return known;
            pending.Add(text);
            string[] texts = [.. pending];
            foreach (var (scored, score) in texts.Zip(scorer.Score([.. texts.Select(item => new ScoredText(item, prompt))], cancellation)))
            {
                var characters = Math.Max(1, scored.Trim().Length);
                costs[scored] = new TextCost(-score.LogLikelihood / Math.Log(2) / characters, characters);
            }
            pending.Clear();
            return costs[text];
        }
    }
}
