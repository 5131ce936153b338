// The stamps of Tux Paint, read in place: pictures with captions in many languages, spoken descriptions and sound effects.
using System.ComponentModel;
using PluginHost.Sdk;

namespace Source.Stamps;

/// <summary>Which recording is a stamp's sound.</summary>
public enum StampSound
{
    /// <summary>The spoken description.</summary>
    Voice,

    /// <summary>The noise that the thing makes.</summary>
    Effect,
}

/// <summary>Settings of <c>source.stamps</c>.</summary>
/// <param name="Folder">Folder of the stamps.</param>
/// <param name="Languages">Languages of captions; by default en, zh and fr.</param>
/// <param name="Sound">Which recording is a stamp's sound.</param>
/// <param name="Voice">Language of the spoken descriptions.</param>
/// <param name="Symbols">Whether letters, digits, coins and other symbols take part.</param>
public sealed record StampsOptions(
    [property: Description("Folder of the stamps.")] string Folder = "/usr/share/tuxpaint/stamps",
    [property: Description("Languages of captions, as the caption files name them (zh stands for zh_CN); by default [\"en\", \"zh\", \"fr\"].")] string[]? Languages = null,
    [property: Description("Which recording is a stamp's sound: the spoken description or the noise the thing makes.")] StampSound Sound = StampSound.Voice,
    [property: Description("Language of the spoken descriptions.")] string Voice = "fr",
    [property: Description("Whether letters, digits, coins and other symbols take part.")] bool Symbols = true);

/// <summary>Debian's <c>tuxpaint-stamps-default</c>.</summary>
[Plugin("source.stamps", "The stamps of Tux Paint: real pictures with captions in many languages, spoken descriptions and sound effects.")]
public sealed class StampsSource(StampsOptions options) : ISourcePlugin
{
    /// <inheritdoc/>
    public ISource Open(SourceContext context)
    {
        var folder = Path.GetFullPath(options.Folder, Path.GetFullPath(context.Folder));
        if (!Directory.Exists(folder))
            throw new UserErrorException($"source.stamps: the folder '{folder}' does not exist: install it with: apt-get install tuxpaint-stamps-default (or set 'folder')");
        var stamps = new StampFolder(folder, options).Scan(context.Reject);
        if (stamps.Count == 0)
            throw new UserErrorException($"source.stamps: the folder '{folder}' holds no PNG picture with a caption (NAME.txt) beside it; is 'folder' right?");
        return new Stamps(stamps, options);
    }
}
