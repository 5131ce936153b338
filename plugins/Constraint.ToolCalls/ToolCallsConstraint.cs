// Calls of functions that are right by construction: free text until a call begins, then a name among the functions offered and arguments in the grammar of that function's JSON Schema, compiled
// to places over bytes (each place reads a byte and says where it leads). Members come in the schema's order, those that are optional may be left out, and none are added.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Constraint.ToolCalls;

/// <summary>Settings of <see cref="ToolCallsConstraint"/>.</summary>
/// <param name="Depth">Objects and arrays within each other in a schema.</param>
/// <param name="Places">Places that the schemas of one request may come to: what they cost in memory and time.</param>
/// <param name="SchemaBytes">Bytes of all schemas of one request.</param>
public sealed record ToolCallsOptions(
    [property: Range(1, 8), Description("Objects and arrays within each other in a schema at most.")] int Depth = 8,
    [property: Range(100, 10_000_000), Description("Places of the grammar that the schemas of one request may come to.")] int Places = 200_000,
    [property: Range(100, 1_000_000), Description("Bytes of all schemas of one request at most.")] int SchemaBytes = 65_536);

/// <summary>Calls of the functions that are offered, and no others.</summary>
[Plugin("constraint.tool-calls", "A call of a function names one that was offered, with arguments that its JSON Schema allows.")]
public sealed class ToolCallsConstraint(ToolCallsOptions options) : IConstraintPlugin
{
    /// <inheritdoc/>
    public IConstraint Create(ConstraintContext context)
    {
        var tokens = new TokenBytes(context.Tokenizer);
        for (var letter = ' '; letter < '\x7f'; letter++)
            if (!tokens.Has((byte)letter))
                throw new UserErrorException($"constraint.tool-calls: the tokenizer has no token for '{letter}' alone, so a call could come to a place where nothing can follow; use a tokenizer over bytes");
        return new ToolCalls(tokens, options);
    }
}
