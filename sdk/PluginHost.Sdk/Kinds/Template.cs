namespace PluginHost.Sdk;

/// <summary>Kind <c>template</c>: instruction types, each in several wordings and languages.</summary>
public interface ITemplatePlugin
{
    /// <summary>Reads the library.</summary>
    /// <param name="context">The surroundings.</param>
    /// <param name="folder">Relative paths in the settings are relative to this folder: the project file's.</param>
    /// <exception cref="UserErrorException">A template file is wrong; the message names file, offender and rule.</exception>
    ITemplateLibrary Open(BuildContext context, string folder);
}

/// <summary>
/// Instruction types. Values of slots are text whatever they look like: a tag typed by a user never becomes one. Safe for concurrent use.
/// </summary>
public interface ITemplateLibrary
{
    /// <summary>All types, in the order of their ids.</summary>
    IReadOnlyList<InstructionType> Types { get; }

    /// <summary>A hash of all wordings, for the run record.</summary>
    string Fingerprint { get; }

    /// <summary>Words an instruction.</summary>
    /// <param name="instruction">Its type, language and slots.</param>
    /// <param name="phrasing">Which wording: 0 to <see cref="InstructionWordings.Seen"/> - 1 are for training, those from there on for evaluation alone.</param>
    /// <exception cref="UserErrorException">A type, language, phrasing or slot that does not exist, a slot that is missing, or other media than the type speaks of.</exception>
    RenderedInstruction Render(Instruction instruction, int phrasing);

    /// <summary>The slots of a rendered text; null when it is not in this wording.</summary>
    /// <param name="type">Id of the type.</param>
    /// <param name="language">The language.</param>
    /// <param name="phrasing">Which wording.</param>
    /// <param name="text">A <see cref="RenderedInstruction.Text"/>.</param>
    /// <exception cref="UserErrorException">The type, language or phrasing does not exist.</exception>
    IReadOnlyDictionary<string, string>? Parse(string type, string language, int phrasing, string text);
}

/// <summary>An instruction type of a library.</summary>
/// <param name="Id">In kebab case: <c>spatial-relation</c>.</param>
/// <param name="Summary">What it asks for, in a sentence.</param>
/// <param name="Media">Modalities that it shows, each once: <c>image</c>, <c>audio</c>, <c>video</c>; slots of the same names hold their paths.</param>
/// <param name="Slots">Its text slots.</param>
/// <param name="Answer">The slot that is to be learnt: what follows it is left out of training.</param>
/// <param name="Languages">Wordings by language.</param>
public sealed record InstructionType(
    string Id, string Summary, IReadOnlyList<string> Media, IReadOnlyList<string> Slots, string Answer, IReadOnlyDictionary<string, InstructionWordings> Languages);

/// <summary>The wordings of a type in a language.</summary>
/// <param name="Seen">Number of wordings for training.</param>
/// <param name="Unseen">Number of wordings for evaluation alone, after those.</param>
/// <param name="Example">A value for every slot, media included.</param>
public sealed record InstructionWordings(int Seen, int Unseen, IReadOnlyDictionary<string, string> Example);

/// <summary>An instruction before it is worded: what a source knows and can ask.</summary>
/// <param name="Type">Id of the type.</param>
/// <param name="Language">The language of the wording.</param>
/// <param name="Slots">Text slots, and for each medium a name for people to read, such as its path.</param>
/// <param name="Needs">The modalities without which it can only be guessed.</param>
public sealed record Instruction(string Type, string Language, IReadOnlyDictionary<string, string> Slots, params IReadOnlyList<string> Needs)
{
    /// <summary>Further answers that count as right.</summary>
    public IReadOnlyList<string> AlsoRight { get; init; } = [];
}

/// <summary>A worded instruction.</summary>
/// <param name="Text">The whole, as a person reads it, with the names of its media: <c>&lt;image&gt;cat.png&lt;/image&gt;...</c>.</param>
/// <param name="Prompt">What comes before the answer, without its media.</param>
/// <param name="Media">Where in the prompt the media are.</param>
/// <param name="Answer">What is to be learnt.</param>
public sealed record RenderedInstruction(string Text, string Prompt, IReadOnlyList<MediaPlace> Media, string Answer);

/// <summary>Where in a prompt a medium of the sample is: there stands its placeholder token. Not written as text, so that no text can pass for one.</summary>
/// <param name="At">Characters of the prompt before it.</param>
/// <param name="Modality"><c>image</c>, <c>audio</c> or <c>video</c>.</param>
public sealed record MediaPlace(int At, string Modality);
