using System.Text.Json.Nodes;
using PluginHost.Tools.Registry;

namespace PluginHost.Serving.Tools.OpenApi;

/// <summary>The registry as an OpenAPI document: a path for each tool that may be called, with its own schema.</summary>
internal static class OpenApiDocument
{
    public static JsonObject Of(ToolRegistry registry, string address)
    {
        var paths = new JsonObject();
        foreach (var tool in registry.Ready) paths[$"/v1/tools/{tool.Name}/invoke"] = new JsonObject { ["post"] = Operation(tool) };
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Tools of PluginHost", ["version"] = registry.Version },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = address }),
            ["paths"] = paths,
        };
    }

    private static JsonObject Operation(RegisteredTool tool)
    {
        var arguments = JsonNode.Parse(tool.Parameters.GetRawText());
        OpenApiReferences.Move(arguments, $"#/paths/~1v1~1tools~1{tool.Name}~1invoke/post/requestBody/content/application~1json/schema/properties/arguments");
        var body = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["arguments"] = arguments }, ["required"] = new JsonArray("arguments") };
        var result = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["name"] = new JsonObject { ["type"] = "string" },
                ["content"] = new JsonObject { ["type"] = "string" },
                ["untrusted"] = new JsonObject { ["const"] = true },
                ["cut"] = new JsonObject { ["type"] = "boolean" },
            },
        };
        return new JsonObject
        {
            ["operationId"] = tool.Name,
            ["description"] = tool.Description,
            ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = body } } },
            ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "The result", ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = result } } } },
        };
    }
}
