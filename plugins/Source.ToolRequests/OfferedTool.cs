using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Source.ToolRequests;

/// <summary>An argument of a function.</summary>
/// <param name="Name">What the function calls it.</param>
/// <param name="Slot">What it is: see <see cref="Words.Value"/>.</param>
internal sealed record Argument(string Name, string Slot);

/// <summary>A function as it is offered in a sample.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it does.</param>
/// <param name="Arguments">Its arguments, all required.</param>
/// <param name="Wordings">How it is asked for in training; <c>{slot}</c> for what it is told, <c>{det}</c> for a determiner.</param>
/// <param name="HeldWordings">How it is asked for in tests.</param>
/// <param name="Made">Whether it is made up.</param>
internal sealed record OfferedTool(string Name, string Description, IReadOnlyList<Argument> Arguments, IReadOnlyList<string> Wordings, IReadOnlyList<string> HeldWordings, bool Made = false)
{
    /// <summary>Its declaration with a schema of its arguments.</summary>
    public AIFunctionDeclaration Declared()
    {
        var properties = new JsonObject();
        foreach (var argument in Arguments) properties[argument.Name] = new JsonObject { ["type"] = Words.IsNumber(argument.Slot) ? "integer" : "string" };
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = new JsonArray([.. Arguments.Select(argument => (JsonNode)argument.Name)]) };
        return new DeclaredFunction(Name, Description, JsonElement.Parse(schema.ToJsonString()));
    }

    /// <summary>A request for it and the arguments that it names.</summary>
    public (string Request, IReadOnlyList<KeyValuePair<string, object?>> Arguments) Ask(Random random, bool held)
    {
        var request = held
            ? Words.Any(Words.HeldFrames, random).Replace("{}", Words.Any(HeldWordings, random), StringComparison.Ordinal)
            : Words.Framed(Words.Any(Wordings, random).Replace("{det}", Words.Any(Words.Determiners, random), StringComparison.Ordinal), random);
        var told = new List<KeyValuePair<string, object?>>();
        foreach (var argument in Arguments)
        {
            var value = Words.Value(argument.Slot, random);
            request = request.Replace($"{{{argument.Slot}}}", value, StringComparison.Ordinal);
            told.Add(new(argument.Name, Words.IsNumber(argument.Slot) ? int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) : value));
        }
        return (request, told);
    }
}
