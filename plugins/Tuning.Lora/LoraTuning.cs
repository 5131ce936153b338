// LoRA (Hu et al. 2021): a frozen projection W gets  W x + s · B A dropout(x)  with A [r, inputs], B [rows, r] and s = α/r, or α/√r (rsLoRA,
// Kalajdzievski 2023). DoRA (Liu et al. 2024): rows of V = W + s B A keep their direction and get a length m of their own,  m/‖V‖ · V x,  where ‖V‖ is held
// fixed in the backward pass. B = 0 and m = ‖W‖ at the beginning, so nothing has changed then. Saved as PEFT saves it.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using PluginHost.Sdk;

namespace Tuning.Lora;

/// <summary>Settings of <see cref="LoraTuning"/>.</summary>
public sealed record LoraOptions(
    [property: Range(1, 65536), Alias("r"), Description("Rank of what is added to each target; at most the smaller side of each.")] int Rank = 16,
    [property: Range(1e-6, 1e6), Alias("lora_alpha"), Description("Scale of what is added: it is multiplied by alpha / rank.")] double Alpha = 32,
    [property: Range(0.0, 0.99), Alias("lora_dropout"), Description("Chance that an input of an adapter is dropped in training; the frozen weights see all.")] double Dropout = 0.1,
    [property: Alias("target_modules"), DefaultValue(new[] { "q_proj", "v_proj" }), Description("Projections by the end of their name (q_proj), or by a pattern of the whole (decoder.*.q_proj).")]
    string[]? Targets = null,
    [property: Alias("use_rslora"), Description("Scales by alpha / √rank instead, so that high ranks learn as well as low ones.")] bool Rslora = false,
    [property: Alias("use_dora"), Description("Also trains the length of each row of the targets (DoRA).")] bool Dora = false,
    [property: Alias("modules_to_save"), Description("Modules that are trained and saved whole beside the adapters, by their name (fusion) or a pattern of parameters. Default: none.")]
    string[]? Modules = null);

/// <summary>LoRA.</summary>
[Plugin("tuning.lora", "Low-rank adapters on frozen projections (LoRA, rsLoRA, DoRA), saved as PEFT saves them.")]
[Cost(Parameters = "sum({Rank}*(D_i + R_i) + {Dora}*R_i)")]
public sealed class LoraTuning(LoraOptions options) : ITuningPlugin
{
    /// <summary>What PEFT puts before the names of a model's modules.</summary>
    internal const string Prefix = "base_model.model.";

    private readonly string[] targets = options.Targets ?? ["q_proj", "v_proj"];

    private double Scale => options.Alpha / (options.Rslora ? Math.Sqrt(options.Rank) : options.Rank);

    /// <inheritdoc/>
    public ITuning Begin(TuningContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var projections = context.Projections(targets);
        if (projections.Count == 0) throw new UserErrorException("'targets' is empty; name projections such as \"q_proj\"");
        var narrow = projections.MinBy(item => Math.Min(item.Projection.Rows, item.Projection.Weight.size(1)));
        if (options.Rank > Math.Min(narrow.Projection.Rows, narrow.Projection.Weight.size(1)))
            throw new UserErrorException($"'rank' is {options.Rank}, above the width of '{narrow.Name}', which is [{narrow.Projection.Rows}, {narrow.Projection.Weight.size(1)}]; lower it, or take other 'targets'");
        var modules = context.Modules(options.Modules ?? []);
        return new LoraAdapters(
            [.. projections.Select(item => (item.Name, new LoraAdapter(item.Projection, options.Rank, Scale, options.Dropout, options.Dora, context.Build)))],
            [.. modules.Select(item => new TunedParameter(Prefix + item.Name, item.Value))], Config());
    }

    private JsonObject Config() => new()
    {
        ["peft_type"] = "LORA",
        ["task_type"] = "CAUSAL_LM",
        ["r"] = options.Rank,
        ["lora_alpha"] = options.Alpha,
        ["lora_dropout"] = options.Dropout,
        ["target_modules"] = new JsonArray([.. targets.Select(target => (JsonNode)target)]),
        ["use_rslora"] = options.Rslora,
        ["use_dora"] = options.Dora,
        ["modules_to_save"] = options.Modules is { Length: > 0 } ? new JsonArray([.. options.Modules.Select(module => (JsonNode)module)]) : null,
        ["bias"] = "none",
        ["fan_in_fan_out"] = false,
        ["init_lora_weights"] = true,
        ["inference_mode"] = true,
    };
}
