using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Decoder.Causal;
using Encoder.LogMel;
using Encoder.TextTransformer;
using Encoder.Vit;
using Fusion.Early;
using Fusion.Late;
using Fusion.Mid;
using Objective.Contrastive;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace Plugins.Neural.Tests;

[Collection("torch")]
public class GradientAndCostTests
{
    private static readonly Dictionary<string, long> Sizes =
        new() { ["D"] = 32, ["L"] = 3, ["V"] = 20, ["C"] = 3, ["H"] = 8, ["W"] = 8, ["R"] = 4000 };

    private static readonly SolvedPort[] Inputs = [Build.Port("image", 12), Build.Port("audio", 8)];

    public static TheoryData<Type, object?> Plugins() => new()
    {
        { typeof(CausalDecoder), new CausalOptions(32, 3, 4, 2, 24) },
        { typeof(CausalDecoder), new CausalOptions(32, 3, 4, 1, 40, TiedHead: false) },
        { typeof(VitEncoder), new VitOptions(16, 2, 2, 8, 4, Stem: true, StemWidth: 4, Pooled: 6) },
        { typeof(VitEncoder), new VitOptions(16, 2, 2, 8, 2, Stem: true, StemWidth: 6, Pooled: 6) },
        { typeof(VitEncoder), new VitOptions(16, 1, 2, 8, 1, Pooled: 10) },
        { typeof(TextTransformerEncoder), new TextTransformerOptions(16, 2, 2, 8, 6) },
        { typeof(LogMelEncoder), new LogMelOptions(16, 2, 2, 8, 10, Pooled: 6) },
        { typeof(EarlyFusion), null },
        { typeof(MidFusion), new MidOptions(1) },
        { typeof(MidFusion), new MidOptions(2) },
        { typeof(LateFusion), null },
        { typeof(ContrastiveObjective), new ContrastiveOptions() },
    };

    [Theory]
    [MemberData(nameof(Plugins))]
    public void Cost_Parameters_EqualTheBuiltModule(Type type, object? options)
    {
        using var scope = NewDisposeScope();
        var module = (nn.Module)Built(type, options);
        var formula = type.GetCustomAttribute<CostAttribute>()!.Parameters!;

        Assert.Equal(module.parameters().Sum(parameter => parameter.numel()), Evaluate(formula, options));
    }

    [Theory]
    [MemberData(nameof(Plugins))]
    public void Backward_ReachesEveryParameter(Type type, object? options)
    {
        using var scope = NewDisposeScope();
        var node = Built(type, options);

        Loss(node).backward();

        foreach (var (name, parameter) in ((nn.Module)node).named_parameters())
            Assert.True(parameter.grad is { } gradient && gradient.abs().sum().item<float>() > 0, $"{name} has no gradient");
    }

    private static IGraphNode Built(Type type, object? options)
    {
        var plugin = (INodePlugin)Activator.CreateInstance(type, options is null ? [] : [options])!;
        return Build.Node<IGraphNode>(plugin, Sizes, Inputs);
    }

    private static Tensor Loss(IGraphNode node)
    {
        var text = Build.Text(new long[,] { { 1, 5, 9, 2 }, { 3, 3, 7, -1 } });
        manual_seed(5);
        switch (node)
        {
            case IDecoder decoder:
                return decoder.Forward(text, null, null).square().sum();
            case IFusion fusion:
                var context = fusion.Fuse([Build.Tokens(1, 2, 5, 12), Build.Tokens(2, 2, 3, 8)]);
                var hidden = randn(2, 4, 32);
                for (var layer = 0; layer < 3; layer++) hidden = context.BetweenLayers(layer, hidden);
                var loss = hidden.square().sum() + context.AtOutput(hidden, zeros(2, 4, 20)).square().sum();
                return context.Prefix is { } prefix ? loss + prefix.Data.square().sum() : loss;
            case IEncoder encoder:
                var encoded = encoder.Encode(node switch
                {
                    VisionTransformer => new Masked(rand(2, 3, 8, 8), ones(2, dtype: ScalarType.Bool)),
                    AudioTransformer => new Masked(randn(2, 4000), ones(2, 4000, dtype: ScalarType.Bool)),
                    _ => text,
                });
                return encoded.Tokens.Data.square().sum() + encoded.Pooled.square().sum();
            default:
                return ((IObjective)node).Sum([randn(3, 4), randn(3, 4)]);
        }
    }

    // A small evaluator of its own: sums are written out, names become numbers, the rest is arithmetic.
    private static long Evaluate(string formula, object? options)
    {
        formula = Regex.Replace(formula, @"\bsum(\((?>[^()]|(?<open>\()|(?<-open>\)))*\))", match =>
            "(" + string.Join("+", Inputs.Select(input => match.Groups[1].Value.Replace("D_i", $"{input.Shape[2]}"))) + ")");
        object Option(string name) => options!.GetType().GetProperty(name)!.GetValue(options)!;
        formula = Regex.Replace(formula, @"\{(\w+)\}", match => $"{Convert.ToInt64(Option(match.Groups[1].Value))}");
        formula = Regex.Replace(formula, @"\b[A-Z]\b", match => Sizes[match.Value].ToString());
        // Integer division, innermost parentheses first.
        while (Regex.Match(formula, @"\(([^()]*)\)") is { Success: true } inner)
            formula = formula.Replace(inner.Value, Flat(inner.Groups[1].Value));
        return long.Parse(Flat(formula), CultureInfo.InvariantCulture);
    }

    private static string Flat(string expression)
    {
        var terms = Regex.Replace(expression, @"\s", "").Replace("-", "+-").Split('+', StringSplitOptions.RemoveEmptyEntries);
        return terms.Sum(term =>
        {
            var factors = Regex.Matches(term, @"([*/]?)(-?\d+)");
            return factors.Aggregate(1L, (product, factor) =>
            {
                var value = long.Parse(factor.Groups[2].Value);
                return factor.Groups[1].Value == "/" ? product / value : product * value;
            });
        }).ToString(CultureInfo.InvariantCulture);
    }
}
