using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>The constraint of a tokenizer, not yet of any functions: any text.</summary>
internal sealed class ToolCalls(TokenBytes tokens, ToolCallsOptions options) : IToolConstraint
{
    private const int Kept = 32;

    private readonly BoundCalls free = new(tokens, new FreeText());
    private readonly ConcurrentDictionary<string, BoundCalls> known = new(StringComparer.Ordinal); // a conversation comes with the same functions again and again

    public IConstraintState Begin() => free.Begin();

    public IConstraint Bind(IReadOnlyList<AIFunctionDeclaration> tools, bool required)
    {
        var size = tools.Sum(tool => (long)Encoding.UTF8.GetByteCount(tool.JsonSchema.GetRawText()));
        if (size > options.SchemaBytes) throw new UserErrorException($"the schemas of {tools.Count} functions have {size:N0} bytes; {options.SchemaBytes:N0} are the most that answers can be held to: offer fewer functions, or simpler ones");
        if (tools.GroupBy(tool => tool.Name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice) throw new UserErrorException($"there are {twice.Count()} functions named '{twice.Key}'");
        var key = string.Join('\n', tools.Select(tool => $"{tool.Name} {tool.JsonSchema.GetRawText()}").Append(required ? "required" : "free"));
        if (known.TryGetValue(key, out var bound)) return bound;
        if (known.Count >= Kept) known.Clear();
        return known[key] = Made(tools, required);
    }

    private BoundCalls Made(IReadOnlyList<AIFunctionDeclaration> tools, bool required)
    {
        var spelling = new Spelling(tokens, options.Places);
        var behind = required ? new Behind() : (Place)new FreeText();
        var end = spelling.Text($"}}\n{CallText.End}", behind);
        var calls = tools.Select(tool => ($"\n{{\"name\": {SchemaGrammar.Quoted(tool.Name)}, \"arguments\": ", new SchemaGrammar(tool.Name, spelling, options.Depth).Arguments(tool.JsonSchema, end))).ToList();
        var call = spelling.Any(calls);
        if (behind is FreeText text) text.Call = call;
        if (behind is Behind next) next.Call = spelling.Text("\n" + CallText.Begin, call);
        return new BoundCalls(tokens, required ? spelling.Text(CallText.Begin, call) : behind);
    }
}
