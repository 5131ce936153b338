// Passages of the server's documents as a tool: what a model answers from, and cites (retrieval-augmented generation, Lewis et al. 2020).
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Tool.Retrieve;

/// <summary>Settings of <see cref="RetrieveTool"/>.</summary>
/// <param name="Store">What is searched.</param>
/// <param name="Count">Passages where a call does not say.</param>
/// <param name="About">What the documents are about.</param>
public sealed record RetrieveOptions(
    [property: Description("The vector store that is searched, by its id or name; without it, what the server's retrieval file has indexed.")] string? Store = null,
    [property: Range(1, 20), Description("Passages of a call that does not say how many.")] int Count = 5,
    [property: Description("What the documents are about, for a model to choose the tool by.")] string? About = null);

/// <summary>Finds passages.</summary>
[Plugin("tool.retrieve", "Finds passages of the server's documents, with marks to cite them by.")]
public sealed class RetrieveTool(RetrieveOptions options) : IToolPlugin
{
    /// <inheritdoc/>
    public IReadOnlyList<ToolFunction> Open(ToolContext context) =>
        [new Function(context.Documents ?? throw new UserErrorException("tool.retrieve: no documents are searched here; 'pluginhost serve' does it where an index plugin is installed"), options)];

    private sealed class Function(IPassageSearch documents, RetrieveOptions options) : ToolFunction(
        "retrieve", $"Finds passages of documents{(options.About is { } about ? $" about {about}" : "")}. Each has a mark, such as [1]: write it behind what you take from the passage.", $$"""
        {
          "type": "object",
          "properties": {
            "query": { "type": "string", "minLength": 1, "maxLength": 1000, "description": "What is looked for, in a few words or as a question" },
            "count": { "type": "integer", "minimum": 1, "maximum": 20, "default": {{options.Count}}, "description": "Passages at most" }
          },
          "required": ["query"],
          "additionalProperties": false
        }
        """)
    {
        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) =>
            ValueTask.FromResult<object?>(PassageList.ToJson(documents.Search(options.Store, Text(arguments, "query") ?? "", Argument(arguments, "count")?.GetInt32() ?? options.Count)));
    }
}
