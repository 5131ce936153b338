using System.Security.Cryptography;
using System.Text;
using PluginHost.Sdk;

namespace Source.Stamps;

/// <summary>The stamps by split, in the order of a hash of their ids: the first of a split are no worse a sample than all.</summary>
internal sealed class Stamps : ISource
{
    private readonly StampsOptions options;
    private readonly Dictionary<string, Stamp[]> stamps;

    public Stamps(IReadOnlyList<Stamp> stamps, StampsOptions options)
    {
        this.options = options;
        this.stamps = stamps.OrderBy(stamp => Hash(stamp.Id), StringComparer.Ordinal).GroupBy(stamp => PluginHost.Sdk.Splits.Of(stamp.Id)).ToDictionary(group => group.Key, group => group.ToArray());
        Fingerprint = Hash(string.Join('\n', stamps.Select(Describe)));
    }

    public IReadOnlyList<string> Splits { get; } = [PluginHost.Sdk.Splits.Train, PluginHost.Sdk.Splits.Validation, PluginHost.Sdk.Splits.Test];

    public string Fingerprint { get; }

    public int Count(string split) => stamps.TryGetValue(split, out var found) ? found.Length : 0;

    public Sample Read(string split, int index)
    {
        var stamp = stamps[split][index];
        return new Sample(stamp.Id)
        {
            Image = new MediaFile(stamp.Image),
            Audio = stamp.Sound is null ? null : new MediaFile(stamp.Sound),
            Texts = stamp.Captions,
            Turns = [.. Turns(stamp)],
        };
    }

    public void Dispose()
    {
        // holds no files open
    }

    private IEnumerable<Turn> Turns(Stamp stamp)
    {
        foreach (var (language, caption) in stamp.Captions)
            yield return new Turn("caption." + language, DescribeRequest(language), caption, "image");
        yield return new Turn("category", "what kind of thing is this?", CategoryName(stamp.Category), "image");
        if (stamp.Sound is null) yield break;
        if (options.Sound == StampSound.Effect && stamp.Captions.TryGetValue("en", out var maker))
            yield return new Turn("sound", "what makes this sound?", maker, "audio");
        if (options.Sound == StampSound.Voice && stamp.Captions.TryGetValue(options.Voice, out var words))
            yield return new Turn("voice", "what does the voice say?", words, "audio");
    }

    private static string DescribeRequest(string language) => language switch
    {
        "en" => "describe the picture.",
        "zh" => "描述图片。",
        "fr" => "décris l'image.",
        _ => $"describe the picture ({language}).",
    };

    private static string CategoryName(string folder) => folder == "naturalforces" ? "natural forces" : folder;

    private static string Describe(Stamp stamp) => string.Join('\t',
        [stamp.Id, Size(stamp.Image), stamp.Sound is null ? "" : Size(stamp.Sound), .. stamp.Captions.OrderBy(caption => caption.Key, StringComparer.Ordinal).Select(caption => $"{caption.Key}={caption.Value}")]);

    private static string Size(string path) => new FileInfo(path).Length.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
