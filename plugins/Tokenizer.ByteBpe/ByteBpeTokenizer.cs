// Byte-level byte-pair encoding (Sennrich et al. 2016; byte alphabet of Radford et al. 2019): any text has an encoding, none is
// unknown. Training and the tokenizer.json layout are ours; encoding is Microsoft.ML.Tokenizers' BPE.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Tokenizer.ByteBpe;

/// <summary>Settings of <c>tokenizer.byte-bpe</c>.</summary>
/// <param name="Vocabulary">Number of ids at most: 7 special tokens, 256 bytes, and merges learnt from the corpus.</param>
/// <param name="MinFrequency">A pair is merged when it occurs at least this often.</param>
public sealed record ByteBpeOptions(
    [property: Range(300, 200_000), Description("Number of ids at most: 7 special tokens, 256 bytes, and merges learnt from the corpus.")] int Vocabulary = 640,
    [property: Range(1, 1_000_000), Description("A pair is merged when it occurs at least this often in the corpus.")] int MinFrequency = 2);

/// <summary>Byte-level BPE whose vocabulary is learnt from the project's own corpus.</summary>
[Plugin("tokenizer.byte-bpe", "Byte-level byte-pair encoding, learnt from the corpus; encodes and decodes any text.")]
public sealed class ByteBpeTokenizer(ByteBpeOptions options) : ITokenizerPlugin
{
    /// <inheritdoc/>
    public ITokenizer Train(IEnumerable<string> corpus, BuildContext context)
    {
        var merges = MergeTrainer.Train(corpus, options.Vocabulary - ByteBpe.FirstMerge, options.MinFrequency, context.Cancellation);
        return new ByteBpe(merges);
    }

    /// <inheritdoc/>
    public ITokenizer Load(string json, BuildContext context)
    {
        var tokenizer = new ByteBpe(TokenizerJson.Read(json));
        if (tokenizer.Vocabulary <= options.Vocabulary) return tokenizer;
        throw new UserErrorException($"tokenizer.json holds {tokenizer.Vocabulary} ids but the setting 'vocabulary' of tokenizer.byte-bpe allows {options.Vocabulary}; set it to {tokenizer.Vocabulary} or more.");
    }
}
