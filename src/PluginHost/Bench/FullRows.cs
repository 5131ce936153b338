using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Bench;

/// <summary>Samples of noise in the forms that a project wants, whose text fills a row to its last token: the same work in every step.</summary>
internal sealed class FullRows(DataConfig data, IReadOnlyList<string> modalities) : ISource
{
    private const int Samples = 256;

    public IReadOnlyList<string> Splits { get; } = [Sdk.Splits.Train];

    public string Fingerprint => "full-rows";

    public int Count(string split) => split == Sdk.Splits.Train ? Samples : 0;

    public Sample Read(string split, int index)
    {
        var random = new Random(index);
        var (image, sound, video) = (modalities.Contains("image"), modalities.Contains("audio"), modalities.Contains("video"));
        // <bos>, a placeholder for each medium, and <answer> come before the answer, <eos> after it.
        var letters = new char[data.TextLength - 3 - (image ? 1 : 0) - (sound ? 1 : 0) - (video ? 1 : 0)];
        for (var i = 0; i < letters.Length; i++) letters[i] = (char)random.Next(char.MaxValue);
        return new Sample($"row-{index}")
        {
            Image = image ? new Picture(data.ImageSize, data.ImageSize, Pixels(data.ImageSize, random)) : null,
            Audio = sound ? new Sound(data.AudioRate, [.. Enumerable.Range(0, (int)Math.Round(data.AudioRate * data.AudioSeconds)).Select(_ => random.NextSingle() - 0.5f)]) : null,
            Video = video ? new Clip(data.VideoSize, data.VideoSize, [.. Enumerable.Range(0, data.VideoFrames).Select(_ => Pixels(data.VideoSize, random))], [.. Enumerable.Range(0, data.VideoFrames).Select(frame => frame / data.VideoRate)]) : null,
            Texts = data.Languages.ToDictionary(language => language, _ => new string(letters)),
            Turns = [new Turn("noise", "", new string(letters))],
        };
    }

    public void Dispose()
    {
    }

    private static byte[] Pixels(int size, Random random)
    {
        var pixels = new byte[size * size * 3];
        random.NextBytes(pixels);
        return pixels;
    }
}

/// <summary>A token a letter, of any vocabulary.</summary>
internal sealed class LetterTokenizer(int vocabulary) : ITokenizer
{
    public int Vocabulary => vocabulary;

    public IReadOnlyList<int> Encode(string text) => [.. text.Select(letter => SpecialTokens.All.Count + letter % (vocabulary - SpecialTokens.All.Count))];

    public string Decode(IReadOnlyList<int> ids) => new('?', ids.Count);

    public int Special(string token) => SpecialTokens.All.ToList().IndexOf(token);

    public string ToJson() => "{}";
}
