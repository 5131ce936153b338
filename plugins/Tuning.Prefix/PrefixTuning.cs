// Prefix-tuning (Li and Liang 2021): every attention layer of a frozen decoder sees learnt keys and values before those of the text, with the key/value heads
// that it has. They are trained directly, without the network that the paper makes them with; saved as PEFT saves them. Of several modalities each may have a
// set of its own: a row sees those of what it holds.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace Tuning.Prefix;

/// <summary>Settings of <see cref="PrefixTuning"/>.</summary>
public sealed record PrefixOptions(
    [property: Range(1, 8192), Alias("num_virtual_tokens"), Description("Keys and values in each attention layer, as a number of tokens; for each modality so many.")] int Length = 16,
    [property: Description("Has a set of keys and values for each of these, which a sample sees if it holds it: text (every sample), image, audio, video. Default: one set for all.")]
    string[]? Modalities = null,
    [property: Description("Towers that get a prefix, by the names of their nodes. Default: the decoders.")] string[]? Towers = null,
    [property: Range(0.0, 10.0), Description("Standard deviation of the keys and values at the beginning.")] double Deviation = 0.5,
    [property: Alias("modules_to_save"), Description("Modules that are trained and saved whole beside the prefix, by their name (fusion) or a pattern of parameters. Default: none.")]
    string[]? Modules = null);

/// <summary>Prefix-tuning.</summary>
[Plugin("tuning.prefix", "Learnt keys and values before the text in every attention layer of a frozen decoder, if wanted a set for each modality.")]
[Cost(Parameters = "{Length}*S")]
public sealed class PrefixTuning(PrefixOptions options) : ITuningPlugin
{
    private static readonly string[] Known = ["text", "image", "audio", "video"];

    /// <inheritdoc/>
    public ITuning Begin(TuningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var towers = Towers(context);
        foreach (var modality in options.Modalities ?? [])
        {
            if (!Known.Contains(modality)) throw new UserErrorException($"'{modality}' in 'modalities' is none; {NamePart.Nearest(modality, Known)}");
            if (modality != "text" && !context.Modalities.Contains(modality))
                throw new UserErrorException($"'modalities' names '{modality}', which this graph does not read; it reads {string.Join(", ", context.Modalities.Prepend("text"))}");
        }
        string?[] sets = options.Modalities is { Length: > 0 } modalities ? [.. modalities.Distinct()] : [null];
        var prefixes = towers.SelectMany(tower => sets.Select(set => new Prefix(
            string.Join('.', new[] { "prompt_embeddings", towers.Count > 1 ? tower.Name : null, set }.OfType<string>()), set, tower.Tower!.KeyValueSlots, options.Length, options.Deviation, context.Build)));
        var modules = context.Modules(options.Modules ?? []);
        return new Prefixes([.. prefixes], [.. modules.Select(item => new TunedParameter($"base_model.model.{item.Name}", item.Value))], Config(towers[0].Tower!.KeyValueSlots));
    }

    private List<TunedNode> Towers(TuningContext context)
    {
        var towers = context.Nodes.Where(node => node.Tower?.KeyValueSlots.Count > 0).ToList();
        if (options.Towers is not { Length: > 0 } wanted)
            return towers.Where(node => node.Tower is IDecoder).ToList() is { Count: > 0 } decoders ? decoders
                : throw new UserErrorException($"the graph has no decoder whose attention takes a prefix; name towers in 'towers'{(towers.Count == 0 ? "" : $", such as \"{towers[0].Name}\"")}");
        foreach (var name in wanted)
            if (towers.All(node => node.Name != name)) throw new UserErrorException($"'{name}' in 'towers' is no tower whose attention takes a prefix; {NamePart.Nearest(name, towers.Select(node => node.Name))}");
        return [.. towers.Where(node => wanted.Contains(node.Name))];
    }

    private JsonObject Config(IReadOnlyList<KeyValueSlot> slots) => new()
    {
        ["peft_type"] = "PREFIX_TUNING",
        ["task_type"] = "CAUSAL_LM",
        ["num_virtual_tokens"] = options.Length,
        ["num_layers"] = slots.Count,
        ["num_attention_heads"] = slots[0].Heads,
        ["token_dim"] = slots[0].Heads * slots[0].HeadWidth,
        ["num_transformer_submodules"] = 1,
        ["prefix_projection"] = false,
        ["modalities"] = Names(options.Modalities),
        ["towers"] = Names(options.Towers),
        ["modules_to_save"] = Names(options.Modules),
        ["inference_mode"] = true,
    };

    private static JsonArray? Names(string[]? names) => names is { Length: > 0 } ? new JsonArray([.. names.Select(name => (JsonNode)name)]) : null;
}
