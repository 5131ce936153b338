using TorchSharp;
using static TorchSharp.torch;

namespace Tower.Cross;

/// <summary>What the words of a question and of an answer have in common, in numbers.</summary>
internal static class Matching
{
    // Kernels over cosines: the first is for the same word, the others for likeness in steps.
    private static readonly double[] Centres = [1, 0.9, 0.7, 0.5, 0.3, 0.1, -0.1];
    private const double Narrow = 0.02;
    private const double Wide = 0.1;

    // A definition says in its first words what something is: how fast a place in the answer stops counting as the beginning.
    private static readonly double[] Beginnings = [3, 8];

    /// <summary>Numbers for each pair: the kernels from both sides, the four of <see cref="Sums"/> and the four of <see cref="Places"/>.</summary>
    public const int Features = 2 * 7 + 4 + 4;

    /// <summary>Cosines of all words of the question with all of the answer: [pairs, query, passage].</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="vectors">Of length 1: [pairs, length, D].</param>
    public static Tensor Cosines(Pairs pairs, Tensor vectors) => bmm(pairs.Query(vectors), pairs.Passage(vectors).transpose(1, 2));

    /// <summary>How well each token is answered by the best word of the other side: [pairs, length]; 0 without any.</summary>
    public static Tensor Best(Pairs pairs, Tensor cosines)
    {
        var (query, passage) = (pairs.Query(pairs.Words), pairs.Passage(pairs.Words));
        return cat([(cosines * passage.unsqueeze(1)).amax([2]), (cosines * query.unsqueeze(2)).amax([1])], 1).clamp_min(0);
    }

    /// <summary>Which tokens stand on the other side too: [pairs, length].</summary>
    /// <param name="same">See <see cref="Same"/>.</param>
    public static Tensor Exact(Tensor same) => cat([same.amax([2]), same.amax([1])], 1);

    /// <summary>1 where a word of the question is the answer's, else 0: [pairs, query, passage].</summary>
    public static Tensor Same(Pairs pairs)
    {
        var (query, passage) = (pairs.Query(pairs.Words), pairs.Passage(pairs.Words));
        return pairs.Query(pairs.Ids).unsqueeze(2).eq(pairs.Passage(pairs.Ids).unsqueeze(1)).to(query.dtype) * passage.unsqueeze(1) * query.unsqueeze(2);
    }

    /// <summary>All features: [pairs, <see cref="Features"/>].</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="vectors">Of length 1: [pairs, length, D].</param>
    /// <param name="weights">How much each word counts: [pairs, length, 1].</param>
    /// <param name="cosines">Of the vectors.</param>
    /// <param name="best">See <see cref="Best"/>.</param>
    /// <param name="same">See <see cref="Same"/>.</param>
    public static Tensor Pool(Pairs pairs, Tensor vectors, Tensor weights, Tensor cosines, Tensor best, Tensor same)
    {
        var (query, passage) = (Share(pairs.Query(weights)), Share(pairs.Passage(weights)));        // [pairs, query or passage, 1]
        var (fromQuery, fromPassage) = (pairs.Query(pairs.Words).unsqueeze(2), pairs.Passage(pairs.Words).unsqueeze(1));
        var kernels = Centres.SelectMany((centre, i) =>
        {
            var near = ((cosines - centre).square() * (-0.5 / Math.Pow(i == 0 ? Narrow : Wide, 2))).exp(); // [pairs, query, passage]
            return new[] { (query * (near * fromPassage).sum(2, keepdim: true).log1p()).sum(1), (passage * (near * fromQuery).sum(1).unsqueeze(2).log1p()).sum(1) };
        });
        return cat([.. kernels, Sums(pairs, vectors, weights, best.unsqueeze(2), query, passage), Places(pairs, weights, best, same)], 1);
    }

    // The cosine of both sides' weighted sums; how much of the question and of the answer the best word of the other side meets; and the weight of what is met.
    private static Tensor Sums(Pairs pairs, Tensor vectors, Tensor weights, Tensor best, Tensor query, Tensor passage)
    {
        var one = nn.functional.normalize((pairs.Query(vectors) * pairs.Query(weights)).sum(1), 2, 1);
        var other = nn.functional.normalize((pairs.Passage(vectors) * pairs.Passage(weights)).sum(1), 2, 1);
        var met = (pairs.Query(weights) * pairs.Query(best).square()).sum(1);                       // [pairs, 1]
        return cat([(one * other).sum(1, keepdim: true), (query * pairs.Query(best)).sum(1), (passage * pairs.Passage(best)).sum(1), met.log1p()], 1);
    }

    // What is met near the beginning of the answer, summed for each beginning, and at most; and how many neighbours of the question are neighbours in the answer.
    private static Tensor Places(Pairs pairs, Tensor weights, Tensor best, Tensor same)
    {
        var met = pairs.Passage(weights).squeeze(2) * pairs.Passage(best).square();  // [pairs, passage]
        var place = (pairs.Passage(pairs.Positions) - Pairs.AnswerPosition).clamp_min(0).to(met.dtype);
        var early = Beginnings.Select(length => met * (place * (-1 / length)).exp()).ToArray();
        var (queries, passages) = (pairs.QueryLength - 1, pairs.PassageLength - 1);
        var neighbours = (same.narrow(1, 0, queries).narrow(2, 0, passages) * same.narrow(1, 1, queries).narrow(2, 1, passages)).sum([1, 2]).unsqueeze(1);
        return cat([.. early.Select(sum => sum.sum(1, keepdim: true).log1p()), early[0].amax([1], keepdim: true).log1p(), neighbours.log1p()], 1);
    }

    private static Tensor Share(Tensor weights) => weights / (weights.sum(1, keepdim: true) + 1e-6);
}
