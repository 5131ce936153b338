using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>Holds a plugin's id against what its class is: the kind before the dot promises an interface. Kinds that plugins define are theirs to check.</summary>
internal static class KindCheck
{
    private static readonly Dictionary<string, Type[]> Contracts = new()
    {
        ["source"] = [typeof(ISourcePlugin)],
        ["media"] = [typeof(IMediaDecoder)],
        ["tokenizer"] = [typeof(ITokenizerPlugin)],
        ["encoder"] = [typeof(INodePlugin)],
        ["fusion"] = [typeof(INodePlugin)],
        ["decoder"] = [typeof(INodePlugin)],
        ["objective"] = [typeof(INodePlugin)],
        ["metric"] = [typeof(ITextMetric), typeof(IEmbeddingMetric), typeof(IMediaMetric)],
        ["template"] = [typeof(ITemplatePlugin)],
        ["filter"] = [typeof(IFilterPlugin)],
        ["transform"] = [typeof(ITransform)],
        ["weighting"] = [typeof(IWeightingPlugin)],
        ["tuning"] = [typeof(ITuningPlugin)],
        ["constraint"] = [typeof(IConstraintPlugin)],
        ["tool"] = [typeof(IToolPlugin)],
        ["index"] = [typeof(IIndexPlugin)],
        ["retriever"] = [typeof(IRetrieverPlugin)],
        ["reranker"] = [typeof(IRerankerPlugin)],
    };

    /// <exception cref="FolderFaultException">The class implements no interface of its kind.</exception>
    public static void Run(PluginDescription plugin)
    {
        if (!Contracts.TryGetValue(plugin.Kind, out var contracts) || contracts.Any(contract => plugin.Interfaces.Contains(contract.FullName))) return;
        var has = plugin.Interfaces.Count == 0 ? "nothing" : string.Join(", ", plugin.Interfaces.Select(name => name.Split('.')[^1]));
        throw new FolderFaultException($"by its id {plugin.Id} is of kind '{plugin.Kind}', which implements {string.Join(" or ", contracts.Select(contract => contract.Name))}, but its class implements {has}; change the id or the class");
    }
}
