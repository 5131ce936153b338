// Published vocabularies: the tokenizer.json of Hugging Face's tokenizers, for byte-pair encodings (Sennrich et al. 2016), both over bytes (Radford et
// al. 2019; Llama 3, Qwen, SmolLM) and over characters with bytes to fall back on (Kudo and Richardson 2018, SentencePiece; Llama 2, Mistral).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;
using Tokenizer.HuggingFace.Jinja;

namespace Tokenizer.HuggingFace;

/// <summary>Settings of <c>tokenizer.hugging-face</c>.</summary>
/// <param name="Vocabulary">Number of ids that the model has; the file's tokens have to fit.</param>
/// <param name="Pad">The token that fills rows; null: the usual one.</param>
/// <param name="Begin">The token that begins a segment; null: the usual one.</param>
/// <param name="End">The token that ends an answer; null: the usual one.</param>
/// <param name="Answer">The token between prompt and answer; null: the usual one.</param>
/// <param name="Image">The token that stands for a picture; null: the usual one.</param>
/// <param name="Audio">The token that stands for a sound; null: the usual one.</param>
/// <param name="Video">The token that stands for a video; null: the usual one.</param>
/// <param name="ChatTemplate">How the model reads a conversation, in Jinja; null: as the host writes turns.</param>
public sealed record HuggingFaceOptions(
    [property: Range(8, 2_000_000), Description("Number of ids that the model has: the rows of its embedding. The file's tokens have to fit.")] int Vocabulary = 151_936,
    [property: Description("The token that fills rows; not the one that ends answers. Default: <pad> or what is usual in its place.")] string? Pad = null,
    [property: Description("The token that begins a segment. Default: <bos> or what is usual in its place.")] string? Begin = null,
    [property: Description("The token that ends an answer. Default: <eos> or what is usual in its place.")] string? End = null,
    [property: Description("The token between prompt and answer. Default: <answer>, or a line break.")] string? Answer = null,
    [property: Description("The token that stands for a picture. Default: <image> or what is usual in its place.")] string? Image = null,
    [property: Description("The token that stands for a sound. Default: <audio> or what is usual in its place.")] string? Audio = null,
    [property: Description("The token that stands for a video. Default: <video> or what is usual in its place.")] string? Video = null,
    [property: Description("How the model reads a conversation: the chat template of its authors, in Jinja. Default: turns are written as the host writes them.")] string? ChatTemplate = null);

/// <summary>Byte-pair encodings that come with a published model.</summary>
[Plugin("tokenizer.hugging-face", "The tokenizer.json of a published model: byte-level and SentencePiece-style byte-pair encodings.")]
public sealed class HuggingFaceTokenizer(HuggingFaceOptions options) : ITokenizerPlugin
{
    /// <inheritdoc/>
    public ITokenizer Train(IEnumerable<string> corpus, BuildContext context) => throw new UserErrorException(
        "tokenizer.hugging-face learns nothing: it reads the tokenizer.json of a published model. Say where it is with \"from\" beside \"use\" of data.tokenizer (an imported model, or a folder with the file), or use tokenizer.byte-bpe.");

    /// <inheritdoc/>
    public ITokenizer Load(string json, BuildContext context)
    {
        try
        {
            var tokenizer = new JsonTokenizer(json, TokenizerFile.Parse(json), options);
            if (tokenizer.Vocabulary <= options.Vocabulary) return tokenizer;
            throw new UserErrorException($"tokenizer.json has {tokenizer.Vocabulary} ids with its special tokens, but the setting 'vocabulary' of tokenizer.hugging-face allows {options.Vocabulary}; set it to {tokenizer.Vocabulary} or more.");
        }
        catch (JinjaException error)
        {
            throw new UserErrorException($"tokenizer.hugging-face cannot read the chat template (chatTemplate; chat_template in tokenizer_config.json): {error.Message}. Take it out to go on without it.");
        }
        catch (FormatException error)
        {
            throw new UserErrorException($"tokenizer.json cannot be read by tokenizer.hugging-face: {error.Message}.");
        }
    }
}
