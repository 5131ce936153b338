using System.Text.Json.Nodes;

namespace PluginHost.Artifacts.Published;

/// <summary>A tensor of the model and where it came from.</summary>
/// <param name="Name">Its name in the tower.</param>
/// <param name="Published">Its name in the published files.</param>
/// <param name="Shape">Its sizes.</param>
/// <param name="Missing">Whether the files lack it.</param>
/// <param name="Added">Rows that the files lack: those of special tokens that the published vocabulary has not.</param>
public sealed record ImportedTensor(string Name, string Published, IReadOnlyList<long> Shape, bool Missing, long Added);

/// <summary>What became of every tensor of a published model.</summary>
/// <param name="Architecture">The published model's type.</param>
/// <param name="Plugin">The plugin that it became.</param>
/// <param name="Tensors">The model's tensors.</param>
/// <param name="LeftOver">Published tensors that the model does not take, each with its reason; null where there is none to give.</param>
public sealed record ImportReport(string Architecture, string Plugin, IReadOnlyList<ImportedTensor> Tensors, IReadOnlyList<(string Name, string? Reason)> LeftOver)
{
    /// <summary>The run folder that was made; null when tensors are missing.</summary>
    public string? Folder { get; init; }

    /// <summary>The name under which projects and commands find it.</summary>
    public string Name { get; init; } = "";

    public IEnumerable<ImportedTensor> Missing => Tensors.Where(tensor => tensor.Missing);

    public long Parameters => Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size));

    public JsonObject ToJson() => new()
    {
        ["architecture"] = Architecture,
        ["plugin"] = Plugin,
        ["name"] = Name,
        ["folder"] = Folder,
        ["parameters"] = Parameters,
        ["mapped"] = Tensors.Count(tensor => !tensor.Missing),
        ["missing"] = new JsonArray([.. Missing.Select(tensor => (JsonNode)tensor.Published)]),
        ["leftOver"] = new JsonArray([.. LeftOver.Select(item => new JsonObject { ["name"] = item.Name, ["reason"] = item.Reason })]),
        ["tensors"] = new JsonArray([.. Tensors.Select(tensor => new JsonObject
        {
            ["name"] = tensor.Name,
            ["published"] = tensor.Published,
            ["shape"] = new JsonArray([.. tensor.Shape.Select(size => (JsonNode)size)]),
            ["status"] = tensor.Missing ? "missing" : "mapped",
            ["addedRows"] = tensor.Added,
        })]),
    };
}
