using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace Tower.Cross;

/// <summary>Candidates taken out of packed rows: each is a row of its question's tokens, padded, and then its answer's, padded.</summary>
/// <param name="Vectors">[pairs, length, D]; zeros at padding.</param>
/// <param name="Ids">[pairs, length].</param>
/// <param name="Mask">Bool [pairs, length].</param>
/// <param name="Words">1 where a token is a word, else 0: [pairs, length].</param>
/// <param name="Positions">[pairs, length].</param>
/// <param name="QueryLength">How many places the question has; the answer has the others.</param>
internal sealed record Pairs(Tensor Vectors, Tensor Ids, Tensor Mask, Tensor Words, Tensor Positions, long QueryLength)
{
    // Where the positions of answers begin, however long the batch's questions are.
    public const long AnswerPosition = 256;

    public long Count => Ids.size(0);

    public long PassageLength => Ids.size(1) - QueryLength;

    /// <summary>The part of [pairs, length, ...] that is the question's.</summary>
    public Tensor Query(Tensor all) => all.narrow(1, 0, QueryLength);

    /// <summary>The part that is the answer's.</summary>
    public Tensor Passage(Tensor all) => all.narrow(1, QueryLength, PassageLength);

    /// <summary>The candidates of a batch; null when there is none.</summary>
    public static Pairs? Of(Tensor vectors, TextBatch text, CrossOptions options)
    {
        var places = text.Mask.reshape(-1).nonzero().view(-1);                                     // [real tokens]
        if (places.size(0) == 0) return null;
        var ids = text.Ids.reshape(-1).index_select(0, places);
        var position = text.Positions.reshape(-1).index_select(0, places);
        var first = position.eq(0);
        var pair = first.to(ScalarType.Int64).cumsum(0) - 1;                                        // [real tokens]
        var count = first.sum().ToInt64();
        // Separators so far within the pair: the first belongs to the question.
        var separators = ids.eq(options.Separator).to(ScalarType.Int64);
        var before = separators.cumsum(0) - separators;
        var answer = (before - before.index_select(0, first.nonzero().view(-1)).index_select(0, pair)).clamp_max(1);
        var lengths = zeros(count, dtype: ScalarType.Int64, device: ids.device).index_add(0, pair, 1 - answer, 1);
        var place = position - answer * lengths.index_select(0, pair);
        var (query, passage) = (lengths.max().ToInt64(), Math.Max(1, ((place + 1) * answer).max().ToInt64()));
        var at = pair * (query + passage) + answer * query + place;
        Tensor Grid(Tensor values) => zeros([count * (query + passage), .. values.shape[1..]], dtype: values.dtype, device: values.device).index_copy(0, at, values).view([count, query + passage, .. values.shape[1..]]);
        return new Pairs(
            Grid(vectors.reshape(-1, vectors.size(2)).index_select(0, places)), Grid(ids), Grid(ones_like(ids)).eq(1), Grid(ids.ge(options.FirstWord).to(vectors.dtype)),
            Grid(place + answer * AnswerPosition), query);
    }
}
