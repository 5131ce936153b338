using Microsoft.Extensions.AI;

namespace PluginHost.Sdk;

/// <summary>Kind <c>constraint</c>: which tokens may come next in an answer.</summary>
public interface IConstraintPlugin
{
    /// <summary>Prepares the constraint for a tokenizer: whatever takes long and is the same for all answers is done here.</summary>
    /// <param name="context">The surroundings.</param>
    /// <exception cref="UserErrorException">No answer of this tokenizer could keep to the constraint.</exception>
    IConstraint Create(ConstraintContext context);
}

/// <summary>What a constraint is bound to.</summary>
/// <param name="Tokenizer">Makes the answers' text; its <see cref="ITokenizer.Bytes"/> say what each token adds.</param>
public sealed record ConstraintContext(ITokenizer Tokenizer);

/// <summary>A constraint of answers in one tokenizer's tokens. Safe for concurrent use.</summary>
public interface IConstraint
{
    /// <summary>Begins an answer.</summary>
    IConstraintState Begin();
}

/// <summary>One answer as it grows. Used by one thread at a time.</summary>
public interface IConstraintState
{
    /// <summary>Whether the answer is complete as it stands. The token that ends it is allowed then, and at no other time.</summary>
    bool MayEnd { get; }

    /// <summary>Says which tokens may come next. Nothing that scales with the vocabulary is allocated.</summary>
    /// <param name="allowed">
    /// Written to its last word: bit <c>id % 64</c> of word <c>id / 64</c> for each id that may come. Special tokens, the end among them, and what is beyond the
    /// vocabulary have no bit. It has a bit for each id of the tokenizer at least.
    /// </param>
    void Mask(Span<ulong> allowed);

    /// <summary>Adds the token that was chosen.</summary>
    /// <param name="token">Its id.</param>
    /// <exception cref="InvalidOperationException">It may not come here; the answer stays as it was.</exception>
    void Accept(int token);
}

/// <summary>A constraint that can be bound to functions: where an answer calls one, it calls one of these, with arguments that its schema allows. Unbound it lets calls alone.</summary>
public interface IToolConstraint : IConstraint
{
    /// <summary>Binds it to the functions of a request. Calls are written as <see cref="CallText.Call"/> does.</summary>
    /// <param name="tools">The functions that may be called, at least one.</param>
    /// <param name="required">Whether the answer is nothing but calls, one at least; otherwise it is free text with calls where the model begins them.</param>
    /// <exception cref="UserErrorException">A schema says what the constraint does not understand or what nothing fulfils, or there is too much; the message names function, place and keyword.</exception>
    IConstraint Bind(IReadOnlyList<AIFunctionDeclaration> tools, bool required);
}
