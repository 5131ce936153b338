using System.Text.Json;
using System.Text.RegularExpressions;

namespace PluginHost.Tools.Schemas;

/// <summary>The kinds of values that a schema may allow.</summary>
[Flags]
internal enum SchemaTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Number = 4,
    Integer = 8,
    String = 16,
    Array = 32,
    Object = 64,
    All = Null | Boolean | Number | Integer | String | Array | Object,
}

/// <summary>A schema, read: what it says about values. A schema that refers to itself is a circle of nodes.</summary>
internal sealed class SchemaNode
{
    public SchemaTypes Types { get; set; } = SchemaTypes.All;

    /// <summary>Whether no value can satisfy what stands here itself: <c>false</c>, or bounds that exclude each other.</summary>
    public string? Impossible { get; set; }

    public IReadOnlyList<JsonElement>? Choices { get; set; }

    public double? Minimum { get; set; }

    public double? Maximum { get; set; }

    public double? AboveMinimum { get; set; }

    public double? BelowMaximum { get; set; }

    public decimal? MultipleOf { get; set; }

    public int MinLength { get; set; }

    public int? MaxLength { get; set; }

    public Regex? Pattern { get; set; }

    public int MinItems { get; set; }

    public int? MaxItems { get; set; }

    public bool UniqueItems { get; set; }

    public SchemaNode? Items { get; set; }

    public IReadOnlyList<string> Required { get; set; } = [];

    public Dictionary<string, SchemaNode> Properties { get; } = [];

    /// <summary>For properties that are not named; null: anything.</summary>
    public SchemaNode? Others { get; set; }

    /// <summary>Taken when the value is not given.</summary>
    public JsonElement? Default { get; set; }

    /// <summary>Schemas that hold beside this one: <c>allOf</c>, and what <c>$ref</c> names.</summary>
    public List<SchemaNode> All { get; } = [];

    public IReadOnlyList<SchemaNode>? Any { get; set; }

    public IReadOnlyList<SchemaNode>? One { get; set; }

    public SchemaNode? Not { get; set; }

    /// <summary>Schemas of the same value.</summary>
    public IEnumerable<SchemaNode> Beside => [.. All, .. Any ?? [], .. One ?? [], .. Not is null ? Array.Empty<SchemaNode>() : [Not]];

    /// <summary>Schemas of values within the value.</summary>
    public IEnumerable<SchemaNode> Within => [.. Properties.Values, .. Items is null ? Array.Empty<SchemaNode>() : [Items], .. Others is null ? Array.Empty<SchemaNode>() : [Others]];
}
