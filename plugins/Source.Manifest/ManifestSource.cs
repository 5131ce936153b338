// A JSON-lines manifest: one sample a line, with text, image_path, audio_path, video_path, subtitles_path and modality_weights.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using PluginHost.Sdk;

namespace Source.Manifest;

/// <summary>Settings of <c>source.manifest</c>.</summary>
/// <param name="Path">The manifest.</param>
/// <param name="Language">Language of a text that is a plain string.</param>
/// <param name="LongestText">A text of more characters makes its row a bad one.</param>
public sealed record ManifestOptions(
    [property: Description("The manifest, relative to the project file.")] string Path = "manifest.jsonl",
    [property: Description("Language of a text that is a plain string.")] string Language = "en",
    [property: Range(1, 10_000_000), Description("A text of more characters than this makes its row a bad one.")] int LongestText = 20_000);

/// <summary>Samples listed in a file.</summary>
[Plugin("source.manifest", "Samples listed in a JSON-lines file: text in one or more languages, picture, sound, video and subtitle files, weights.")]
public sealed class ManifestSource(ManifestOptions options) : ISourcePlugin
{
    private const int ShownRejections = 5;

    /// <inheritdoc/>
    public ISource Open(SourceContext context)
    {
        var path = System.IO.Path.GetFullPath(options.Path, System.IO.Path.GetFullPath(context.Folder));
        var bytes = Content(path);
        var (samples, rejected) = new ManifestReader(path, options).Read(bytes, context.Build.Cancellation);
        var first = string.Concat(rejected.Take(ShownRejections).Select(rejection => $"\n  {rejection.Id}: {rejection.Reason}"));
        if (samples.Count == 0 && rejected.Count == 0) throw new UserErrorException($"{path}: the manifest has no rows; each line is one JSON object");
        if (rejected.Count > samples.Count)
            throw new UserErrorException($"{path}: {rejected.Count} of {samples.Count + rejected.Count} rows are bad; the first of them:{first}");
        foreach (var rejection in rejected) context.Reject(rejection);
        return new ManifestSamples(samples, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    private static byte[] Content(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"source.manifest: cannot read '{path}': {error.Message} Set 'path' to the manifest, relative to the project file.");
        }
    }
}

internal sealed class ManifestSamples : ISource
{
    private readonly Dictionary<string, Sample[]> bySplit;

    public ManifestSamples(IReadOnlyList<(string Row, Sample Sample)> samples, string manifestHash)
    {
        bySplit = samples.GroupBy(item => PluginHost.Sdk.Splits.Of(item.Row), item => item.Sample).ToDictionary(group => group.Key, group => group.ToArray());
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manifestHash + string.Concat(samples.Select(item => Files(item.Sample))))));
    }

    public IReadOnlyList<string> Splits { get; } = [PluginHost.Sdk.Splits.Train, PluginHost.Sdk.Splits.Validation, PluginHost.Sdk.Splits.Test];

    public string Fingerprint { get; }

    public int Count(string split) => bySplit.TryGetValue(split, out var found) ? found.Length : 0;

    public Sample Read(string split, int index) => bySplit[split][index];

    public void Dispose()
    {
        // holds no files open
    }

    /// <summary>The manifest's text is hashed whole, and so are subtitles; of the media their sizes stand for their content.</summary>
    private static string Files(Sample sample) => string.Concat(((MediaContent?[])[sample.Image, sample.Audio, sample.Video]).Select(content => content switch
    {
        MediaFile file => $"\n{new FileInfo(file.Path).Length}",
        MediaSpan { Content: MediaFile file } => $"\n{new FileInfo(file.Path).Length} {sample.Id} {string.Join('\n', sample.Texts.Select(text => $"{text.Key}={text.Value}"))}",
        _ => "",
    }));
}
