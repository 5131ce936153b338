using PluginHost.Sdk;

namespace PluginHost.Data;

/// <summary>
/// A source whose instructions are worded by templates: each type that a sample can be asked becomes a turn, <c>template.TYPE.LANGUAGE</c>, in a
/// language and a wording drawn by the sample's id alone. Splits that are not trained on also ask in wordings that training never shows:
/// <c>unseen.TYPE.LANGUAGE</c>. Owns the source.
/// </summary>
public sealed class TemplatedSource : ISource
{
    /// <summary>What begins the task of a turn in a wording for training.</summary>
    public const string Seen = "template.";

    /// <summary>What begins the task of a turn in a wording for evaluation alone.</summary>
    public const string Unseen = "unseen.";

    private readonly ISource source;
    private readonly ITemplateLibrary library;
    private readonly Dictionary<string, InstructionType> types;

    private TemplatedSource(ISource source, ITemplateLibrary library)
    {
        (this.source, this.library) = (source, library);
        types = library.Types.ToDictionary(type => type.Id);
    }

    public IReadOnlyList<string> Splits => source.Splits;

    public string Fingerprint => $"{source.Fingerprint} in the words of {library.Fingerprint}";

    /// <summary>The source in the words of a library; without one the source itself.</summary>
    public static ISource Of(ISource source, ITemplateLibrary? library) => library is null ? source : new TemplatedSource(source, library);

    public int Count(string split) => source.Count(split);

    public Sample Read(string split, int index)
    {
        var sample = source.Read(split, index);
        return sample.Instructions.Count == 0 ? sample : sample with { Turns = [.. sample.Turns, .. Turns(sample, split)], Instructions = [] };
    }

    public void Dispose() => source.Dispose();

    /// <summary>A worded instruction as a turn.</summary>
    /// <exception cref="BadSampleException">The sample lacks a medium that the type shows.</exception>
    internal static Turn Worded(Sample sample, InstructionType type, Instruction instruction, RenderedInstruction rendered, string prefix)
    {
        foreach (var modality in type.Media)
            if (!SampleReader.Has(sample, modality)) throw new BadSampleException($"the instruction '{type.Id}' shows 1 {modality}, and the sample has none");
        return new Turn($"{prefix}{type.Id}.{instruction.Language}", rendered.Prompt, rendered.Answer, instruction.Needs) { AlsoRight = instruction.AlsoRight, Media = rendered.Media };
    }

    // Types that the library does not have are not asked.
    private IEnumerable<Turn> Turns(Sample sample, string split)
    {
        var random = new KeyedRandom([.. sample.Id.Select(letter => (long)letter)]);
        foreach (var group in sample.Instructions.Where(instruction => types.ContainsKey(instruction.Type)).GroupBy(instruction => instruction.Type))
        {
            var type = types[group.Key];
            var choices = group.Where(instruction => type.Languages.ContainsKey(instruction.Language)).ToArray();
            if (choices.Length == 0) continue;
            var instruction = choices[random.Below(choices.Length)];
            var wordings = type.Languages[instruction.Language];
            yield return Turn(random.Below(wordings.Seen), Seen);
            if (split != PluginHost.Sdk.Splits.Train && wordings.Unseen > 0) yield return Turn(wordings.Seen + random.Below(wordings.Unseen), Unseen);

            Turn Turn(int phrasing, string prefix) => Worded(sample, type, instruction, library.Render(instruction, phrasing), prefix);
        }
    }
}
