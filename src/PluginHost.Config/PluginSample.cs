using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>A plugin's <c>sample.json</c>: how it is tried out. Every key may be left out, and so may the file.</summary>
/// <param name="Folder">The folder of the file; <see cref="Files"/> and paths in settings are relative to it.</param>
public sealed record PluginSample(string Folder)
{
    /// <summary>The name of the file in a plugin's folder.</summary>
    public const string FileName = "sample.json";

    /// <summary>Settings of the use that is shown to people; null: the defaults.</summary>
    public JsonElementNode? Settings { get; init; }

    /// <summary>Further settings that are tested; each is a use of its own, not a change to <see cref="Settings"/>.</summary>
    public IReadOnlyList<JsonElementNode> Variants { get; init; } = [];

    /// <summary>Values of the symbols of the plugin's ports; what the file leaves out is as in <see cref="StandardDimensions"/>.</summary>
    public IReadOnlyDictionary<string, long> Dimensions { get; init; } = StandardDimensions;

    /// <summary>Names and symbols (those that end in <c>_i</c>) of the inputs of a variadic plugin.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> Inputs { get; init; } = StandardInputs;

    /// <summary>Files that a media decoder decodes.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Texts that a tokenizer learns from.</summary>
    public IReadOnlyList<string> Texts { get; init; } = ["a red circle is left of a blue square", "a blue circle", "一个红色的圆"];

    /// <summary>Small sizes for every symbol that the ports of the kinds use.</summary>
    public static IReadOnlyDictionary<string, long> StandardDimensions { get; } = new (string, long)[]
    {
        ("B", 2), ("T", 6), ("N", 5), ("D", 32), ("L", 3), ("V", 20), ("C", 3), ("H", 16), ("W", 16), ("S", 4000), ("R", 4000),
    }.ToDictionary();

    /// <summary>A picture of five tokens and a sound of three.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> StandardInputs { get; } =
        new Dictionary<string, IReadOnlyDictionary<string, long>>
        {
            ["image"] = new Dictionary<string, long> { ["N_i"] = 5, ["D_i"] = 12 },
            ["audio"] = new Dictionary<string, long> { ["N_i"] = 3, ["D_i"] = 8 },
        };

    /// <summary>Reads the sample of a plugin folder.</summary>
    /// <exception cref="ConfigException">All that is wrong with it.</exception>
    public static PluginSample Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        var sample = new PluginSample(folder);
        if (!File.Exists(path)) return sample;
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(JsonTreeReader.Read(ConfigText.Read(path, "sample"), FileName), "a sample", errors);
        reader.Text("$schema");
        var given = Numbers(reader.Members("dimensions"), errors);
        var inputs = reader.Members("inputs").ToDictionary(
            input => input.Name, input => (IReadOnlyDictionary<string, long>)Numbers(input.Value.Members, errors));
        sample = sample with
        {
            Settings = reader.Value("settings"),
            Variants = reader.Items("variants") ?? [],
            Dimensions = given.Concat(StandardDimensions.Where(pair => !given.ContainsKey(pair.Key))).ToDictionary(),
            Inputs = inputs.Count == 0 ? StandardInputs : inputs,
            Files = [.. reader.Texts("files", []).Select(file => Path.GetFullPath(file, folder))],
            Texts = reader.Texts("texts", sample.Texts),
        };
        reader.End();
        return errors.Count == 0 ? sample : throw new ConfigException(errors);
    }

    private static Dictionary<string, long> Numbers(IReadOnlyList<JsonMember> members, List<ConfigError> errors)
    {
        var numbers = new Dictionary<string, long>();
        foreach (var member in members)
        {
            if (member.Value.TryGetInt64(out var value) && value > 0) numbers[member.Name] = value;
            else errors.Add(new ConfigError(member.Value.Location, $"'{member.Name}' is a whole number from 1, not {JsonObjectReader.Describe(member.Value)}"));
        }
        return numbers;
    }
}
