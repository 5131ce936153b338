// Answers that are one JSON object (RFC 8259): a pushdown automaton over the bytes of each token. What a token does depends on little more than the place within the
// grammar, so that a mask is computed once a place; only tokens that open or leave an object or array are tried anew.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using PluginHost.Sdk;

namespace Constraint.JsonObject;

/// <summary>Settings of <see cref="JsonObjectConstraint"/>.</summary>
/// <param name="Depth">Objects and arrays within each other, the answer's own object included.</param>
/// <param name="Blanks">Blanks, tabs and line breaks in a row outside of strings.</param>
public sealed record JsonObjectOptions(
    [property: Range(1, 64), Description("Objects and arrays within each other at most, the answer's own object included.")] int Depth = 16,
    [property: Range(0, 64), Description("Blanks, tabs and line breaks in a row outside of strings at most, so that an answer cannot be filled with them.")] int Blanks = 16);

/// <summary>One JSON object, and nothing behind it.</summary>
[Plugin("constraint.json-object", "The answer is one JSON object (RFC 8259).")]
public sealed class JsonObjectConstraint(JsonObjectOptions options) : IConstraintPlugin
{
    private const string Needed = "{}:\"";

    /// <inheritdoc/>
    public IConstraint Create(ConstraintContext context)
    {
        var tokens = new TokenBytes(context.Tokenizer);
        foreach (var letter in Needed)
            if (!tokens.Has((byte)letter))
                throw new UserErrorException($"constraint.json-object: the tokenizer has no token for '{letter}' alone, so an answer could come to a place where nothing can follow; use a tokenizer over bytes");
        return new BoundJsonObject(tokens, options.Depth, options.Blanks);
    }
}
