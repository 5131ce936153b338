namespace PluginHost.Sdk.Testing;

/// <summary>Samples that filters and transforms are tried with, their media decoded.</summary>
internal static class TrySamples
{
    private static readonly string[] English =
    [
        "a red circle is left of a blue square", "a dog runs over green grass after a yellow ball", "two small birds sit on a wire above the street",
        "a red circle is left of a blue square", "an old wooden boat lies on the beach at low tide",
    ];

    private static readonly string[] Chinese = ["一个红色的圆在蓝色正方形的左边", "一只狗在绿色的草地上追黄色的球", "两只小鸟停在街道上方的电线上"];

    /// <summary>Captioned pictures and sounds, all but the fourth different from each other.</summary>
    public static IReadOnlyList<Sample> Ordinary { get; } = [.. English.Select((text, i) => new Sample($"sample-{i}")
    {
        Image = Picture(24, i == 3 ? 0 : i),
        Audio = i % 2 == 0 ? Sound(4000, 2000, 300 + 100 * i) : null,
        Video = i == 1 ? Clip(12) : null,
        Texts = i < Chinese.Length ? new Dictionary<string, string> { ["en"] = text, ["zh"] = Chinese[i] } : new Dictionary<string, string> { ["en"] = text },
        Turns = [new Turn("caption.en", "describe the picture.", text, "image")],
    })];

    /// <summary>What real data has too: nothing at all, a text of nothing, a very long one, pictures of one pixel and of one colour, silence, noise.</summary>
    public static IReadOnlyList<Sample> Odd { get; } =
    [
        new Sample("nothing"),
        new Sample("blank") { Texts = new Dictionary<string, string> { ["en"] = "", ["zh"] = " \n" } },
        new Sample("long") { Texts = new Dictionary<string, string> { ["en"] = string.Concat(Enumerable.Repeat("word after word, ", 5000)) } },
        new Sample("half a character") { Texts = new Dictionary<string, string> { ["en"] = "an emoji 😀 and half of one \ud83d", ["xx"] = "\0\u202e" } },
        new Sample("pixel") { Image = new Picture(1, 1, [255, 0, 0]) },
        new Sample("still") { Video = Clip(1) },
        new Sample("white") { Image = new Picture(24, 24, [.. Enumerable.Repeat((byte)255, 24 * 24 * 3)]) },
        new Sample("silence") { Audio = new Sound(4000, new float[2000]) },
        new Sample("instant") { Audio = new Sound(4000, [1]) },
        new Sample("noise") { Audio = new Sound(4000, [.. Enumerable.Range(0, 2000).Select(i => i * i % 7 > 3 ? 1f : -1f)]) },
    ];

    /// <summary>All of a sample in one text, to compare.</summary>
    public static string Text(Sample sample) => string.Join('|',
        [
            sample.Id, Text(sample.Image), Text(sample.Audio), Text(sample.Video), .. sample.Texts.Select(text => $"{text.Key}={text.Value}"),
            .. sample.Turns.Select(turn => $"{turn.Task} {turn.Prompt} {turn.Answer}"), .. sample.ModalityWeights.Select(weight => $"{weight.Key}*{weight.Value}"),
        ]);

    private static string Text(MediaContent? content) => content switch
    {
        Picture picture => $"{picture.Width}x{picture.Height}:{Convert.ToBase64String(picture.Rgb)}",
        Sound sound => $"{sound.Rate}:{Convert.ToBase64String([.. sound.Samples.SelectMany(BitConverter.GetBytes)])}",
        Clip clip => $"{clip.Width}x{clip.Height}:{string.Join(',', clip.Frames.Zip(clip.Times, (frame, time) => $"{time}={Convert.ToBase64String(frame)}"))}",
        MediaFile file => file.Path,
        _ => "",
    };

    private static Picture Picture(int size, int number) => new(size, size,
        [.. Enumerable.Range(0, size * size * 3).Select(i => (byte)(128 + 100 * Math.Sin((i / 3 % size * (number + 1) + i / 3 / size * (2 * number + 3)) * 0.3 + i % 3)))]);

    private static Clip Clip(int frames) =>
        new(8, 8, [.. Enumerable.Range(0, frames).Select(frame => Picture(8, frame).Rgb)], [.. Enumerable.Range(0, frames).Select(frame => frame / 8.0)]);

    private static Sound Sound(int rate, int length, double hertz) =>
        new(rate, [.. Enumerable.Range(0, length).Select(i => (float)(0.5 * Math.Sin(2 * Math.PI * hertz * i / rate)))]);
}
