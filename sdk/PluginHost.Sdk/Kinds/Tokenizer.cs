using System.Text;
using Microsoft.Extensions.AI;

namespace PluginHost.Sdk;

/// <summary>Kind <c>tokenizer</c>. The port type of text takes its vocabulary from the option named <c>Vocabulary</c>.</summary>
public interface ITokenizerPlugin
{
    /// <summary>Learns a vocabulary from a corpus.</summary>
    /// <param name="corpus">Texts in a fixed order; the result depends on them and the options alone.</param>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">The kind of tokenizer learns nothing, and is loaded only.</exception>
    ITokenizer Train(IEnumerable<string> corpus, BuildContext context);

    /// <summary>Loads a trained tokenizer from the content of its <c>tokenizer.json</c>.</summary>
    /// <exception cref="UserErrorException">The content is not a tokenizer of this kind.</exception>
    ITokenizer Load(string json, BuildContext context);
}

/// <summary>A trained tokenizer. Safe for concurrent use.</summary>
public interface ITokenizer
{
    /// <summary>Number of ids; every id is below it.</summary>
    int Vocabulary { get; }

    /// <summary>Encodes any text. Text that looks like a special token stays plain text.</summary>
    IReadOnlyList<int> Encode(string text);

    /// <summary>Decodes ids to text; special tokens become nothing, broken UTF-8 becomes U+FFFD.</summary>
    string Decode(IReadOnlyList<int> ids);

    /// <summary>
    /// The bytes of UTF-8 that a token adds to a text, wherever it stands; they may be a part of a character. Empty: none, or they cannot be told. A tokenizer whose
    /// tokens are no whole characters should say it itself: here those are not told.
    /// </summary>
    /// <param name="id">A token's id.</param>
    ReadOnlyMemory<byte> Bytes(int id) => Decode([id]) is var text && text.Contains('\uFFFD') ? default : Encoding.UTF8.GetBytes(text);

    /// <summary>Id of a special token: see <see cref="SpecialTokens"/>.</summary>
    int Special(string token);

    /// <summary>The content of <c>tokenizer.json</c>.</summary>
    string ToJson();
}

/// <summary>A tokenizer that may come with a chat template: how its model was taught to read a conversation.</summary>
public interface IChatTokenizer : ITokenizer
{
    /// <summary>Encodes a conversation, up to where its next answer begins.</summary>
    /// <param name="messages">
    /// Who said what. A content of a picture, a sound or a video (by its media type) becomes the tokens that stand for it; text that looks like a special token
    /// stays text.
    /// </param>
    /// <param name="tools">Functions that the model may call; null: none.</param>
    /// <returns>Tokens, the beginning included where the template writes it; null: there is no template.</returns>
    /// <exception cref="UserErrorException">The template refuses the conversation, or has no place for its media.</exception>
    IReadOnlyList<int>? EncodeChat(IReadOnlyList<ChatMessage> messages, IReadOnlyList<AITool>? tools = null);
}

/// <summary>
/// Special tokens of every tokenizer. One that learns its vocabulary gives them the ids 0, 1, 2, ... in the order of <see cref="All"/>; one that comes with a
/// published model uses that model's own.
/// </summary>
public static class SpecialTokens
{
    /// <summary>Fills rows up to one length.</summary>
    public const string Pad = "<pad>";

    /// <summary>Begins a segment.</summary>
    public const string Begin = "<bos>";

    /// <summary>Ends an answer.</summary>
    public const string End = "<eos>";

    /// <summary>Stands between the prompt and the answer.</summary>
    public const string Answer = "<answer>";

    /// <summary>Stands for one picture.</summary>
    public const string Image = "<image>";

    /// <summary>Stands for one sound.</summary>
    public const string Audio = "<audio>";

    /// <summary>Stands for one video.</summary>
    public const string Video = "<video>";

    /// <summary>All of them, in one order.</summary>
    public static IReadOnlyList<string> All { get; } = [Pad, Begin, End, Answer, Image, Audio, Video];
}
