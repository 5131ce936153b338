// Subtitle files: SubRip (SRT, as players read it) and WebVTT (W3C, https://www.w3.org/TR/webvtt1/). Of WebVTT: cues with their text; styles,
// regions, notes and settings are passed over. There is no library for both that is kept up and forgives what real files hold.
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using PluginHost.Sdk;

namespace Source.Manifest;

/// <summary>What is said from one time to another.</summary>
/// <param name="Start">In seconds.</param>
/// <param name="End">In seconds; after the start.</param>
/// <param name="Text">Without markup, on one line.</param>
internal sealed record Cue(double Start, double End, string Text);

/// <summary>Reads subtitle files; a cue that cannot be read is left out with its line and the reason.</summary>
internal static partial class Subtitles
{
    private const string Arrow = "-->";
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The cues of a file by their start, those without text left out.</summary>
    /// <param name="path">The file, for the rejections.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="reject">Told of each bad cue.</param>
    /// <exception cref="BadSampleException">The file is no text, or has no cue that can be read.</exception>
    public static IReadOnlyList<Cue> Read(string path, byte[] content, Action<Rejection> reject)
    {
        var lines = Decode(path, content).ReplaceLineEndings("\n").Split('\n');
        var cues = new List<Cue>();
        var number = lines.Length > 0 && IsHeader(lines[0]) ? SkipBlock(lines, 0) : 0;
        while (number < lines.Length)
        {
            if (!lines[number].Contains(Arrow, StringComparison.Ordinal))
            {
                // Else it is a cue's number or name, or belongs to nothing.
                number = IsComment(lines[number]) ? SkipBlock(lines, number) : number + 1;
                continue;
            }
            var (timing, next) = (number, number + 1);
            while (next < lines.Length && !string.IsNullOrWhiteSpace(lines[next]) && !lines[next].Contains(Arrow, StringComparison.Ordinal)) next++;
            var text = lines[(timing + 1)..next];
            // Where the blank line between two cues is missing, the next cue's number looks like text.
            if (next < lines.Length && lines[next].Contains(Arrow, StringComparison.Ordinal) && text is [.., var last] && CueNumber().IsMatch(last)) text = text[..^1];
            try
            {
                var (start, end) = Times(lines[timing]);
                if (Plain(string.Join(' ', text)) is { Length: > 0 } plain) cues.Add(new Cue(start, end, plain));
            }
            catch (FormatException error)
            {
                reject(new Rejection($"{path}({timing + 1})", error.Message));
            }
            number = next;
        }
        return cues.Count > 0 ? [.. cues.OrderBy(cue => cue.Start)] : throw new BadSampleException($"{path}: it holds no subtitle; a subtitle is a line such as '00:00:01.000 {Arrow} 00:00:02.500' and lines of text");
    }

    private static string Decode(string path, byte[] content)
    {
        try
        {
            return content switch
            {
                [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(content, 2, content.Length - 2),
                [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(content, 2, content.Length - 2),
                [0xEF, 0xBB, 0xBF, ..] => Strict.GetString(content, 3, content.Length - 3),
                _ => Strict.GetString(content),
            };
        }
        catch (DecoderFallbackException)
        {
            throw new BadSampleException($"{path}: it is not valid UTF-8; save it as UTF-8");
        }
    }

    private static bool IsHeader(string line) => line == "WEBVTT" || line.StartsWith("WEBVTT ", StringComparison.Ordinal) || line.StartsWith("WEBVTT\t", StringComparison.Ordinal);

    private static bool IsComment(string line) => new[] { "NOTE", "STYLE", "REGION" }.Any(word => line.TrimEnd() == word || line.StartsWith(word + " ", StringComparison.Ordinal) || line.StartsWith(word + "\t", StringComparison.Ordinal));

    private static int SkipBlock(string[] lines, int from)
    {
        // A header may run into its first cue.
        while (from < lines.Length && !string.IsNullOrWhiteSpace(lines[from]) && !lines[from].Contains(Arrow, StringComparison.Ordinal)) from++;
        return from;
    }

    /// <exception cref="FormatException">A time cannot be read, or the end is not after the start.</exception>
    private static (double Start, double End) Times(string line)
    {
        var arrow = line.IndexOf(Arrow, StringComparison.Ordinal);
        var (start, end) = (Time(line[..arrow]), Time(line[(arrow + Arrow.Length)..].TrimStart().Split(' ', '\t')[0]));
        return end > start ? (start, end) : throw new FormatException($"the subtitle ends at {Shown(end)} s, which is not after its start at {Shown(start)} s");
    }

    private static double Time(string text)
    {
        var match = Timestamp().Match(text.Trim());
        if (!match.Success) throw new FormatException($"'{text.Trim()}' is no time; a time is hours:minutes:seconds.milliseconds, and hours may be left out");
        double Part(string name) => match.Groups[name].Success ? double.Parse(match.Groups[name].ValueSpan, CultureInfo.InvariantCulture) : 0;
        var fraction = match.Groups["fraction"].Success ? double.Parse("0." + match.Groups["fraction"].Value, CultureInfo.InvariantCulture) : 0;
        return Part("hours") * 3600 + Part("minutes") * 60 + Part("seconds") + fraction;
    }

    private static string Plain(string text) => Space().Replace(WebUtility.HtmlDecode(Markup().Replace(text, "")), " ").Trim();

    private static string Shown(double seconds) => seconds.ToString("0.###", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^(?:(?<hours>[0-9]{1,4}):)?(?<minutes>[0-5]?[0-9]):(?<seconds>[0-5]?[0-9])(?:[.,](?<fraction>[0-9]{1,9}))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Timestamp();

    // Tags (<i>, <c.loud>, <v Anna>, <00:01.000>) and overrides of ASS ({\an8}).
    [GeneratedRegex(@"</?[A-Za-z0-9][^<>]*>|\{\\[^{}]*\}", RegexOptions.CultureInvariant)]
    private static partial Regex Markup();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Space();

    [GeneratedRegex(@"^\s*[0-9]+\s*$", RegexOptions.CultureInvariant)]
    private static partial Regex CueNumber();
}
