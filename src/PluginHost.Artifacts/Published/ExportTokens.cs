using System.Text.Json.Nodes;
using PluginHost.Catalog;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published;

/// <summary>A run's tokenizer as other runtimes need it.</summary>
/// <param name="Json">The content of <c>tokenizer.json</c>.</param>
/// <param name="Begin">Token that begins a text.</param>
/// <param name="End">Token that ends an answer.</param>
/// <param name="Pad">Token that fills rows.</param>
public sealed record ExportTokens(JsonObject Json, int Begin, int End, int Pad)
{
    /// <summary>Loads the run's tokenizer.</summary>
    public static ExportTokens Of(ExportedRun run, PluginCatalog catalog)
    {
        var planned = run.Plan.Tokenizer ?? throw new UserErrorException($"the run '{run.Folder.Name}' has no tokenizer.");
        using var lease = catalog.Lease(planned.Description, planned.Settings);
        var tokenizer = lease.As<ITokenizerPlugin>().Load(run.TokenizerJson, new BuildContext
        {
            Device = CPU,
            Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
            ContentFolder = planned.Description.Folder,
        });
        return new ExportTokens(JsonNode.Parse(tokenizer.ToJson())!.AsObject(), tokenizer.Special(SpecialTokens.Begin), tokenizer.Special(SpecialTokens.End), tokenizer.Special(SpecialTokens.Pad));
    }

    /// <summary>Every token by its id; null where there is none.</summary>
    public IReadOnlyList<ExportToken?> All(long count)
    {
        var tokens = new ExportToken?[count];
        foreach (var (text, id) in Json["model"]!["vocab"]!.AsObject()) Put((int)id!, new ExportToken(text, Special: false, Added: false));
        foreach (var added in Json["added_tokens"] as JsonArray ?? []) Put((int)added!["id"]!, new ExportToken((string)added["content"]!, (bool?)added["special"] ?? false, Added: true));
        return tokens;

        void Put(int id, ExportToken token)
        {
            if (id < count) tokens[id] = token;
        }
    }

    /// <summary>The text of a token.</summary>
    public string Text(int id) => All(id + 1)[id]?.Text ?? "";
}

/// <summary>A token.</summary>
/// <param name="Text">As the file spells it.</param>
/// <param name="Special">Whether it stands for no text.</param>
/// <param name="Added">Whether it is found in text before anything is merged.</param>
public sealed record ExportToken(string Text, bool Special, bool Added);
