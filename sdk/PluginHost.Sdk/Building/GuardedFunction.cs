using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// A custom autograd function whose backward pass may throw. libtorch calls a backward pass from native code, where an exception
/// would end the process: here it is caught, the gradients are zeros, and the host throws a <see cref="BackwardFailedException"/>
/// after the pass. Use it as <see cref="autograd.SingleTensorFunction{T}"/>: <c>MyFunction.apply(x)</c>.
/// </summary>
/// <typeparam name="T">The function itself.</typeparam>
public abstract class GuardedFunction<T> : autograd.SingleTensorFunction<T> where T : GuardedFunction<T>, new()
{
    private const string Inputs = "GuardedFunction.Inputs";

    /// <summary>The forward pass.</summary>
    /// <param name="context">Keeps what the backward pass needs.</param>
    /// <param name="inputs">What <c>apply</c> was given.</param>
    protected abstract Tensor Forward(autograd.AutogradContext context, object[] inputs);

    /// <summary>The backward pass.</summary>
    /// <param name="context">What the forward pass kept.</param>
    /// <param name="gradient">The gradient of the output, in its shape; it is disposed afterwards.</param>
    /// <returns>One gradient per input, in order; null for an input that is no tensor. They are disposed once libtorch has them.</returns>
    protected abstract List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient);

    /// <inheritdoc/>
    public sealed override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        // Shapes, not tensors: the context would keep their memory.
        ctx.save_data(Inputs, vars.Select(input => input is Tensor tensor ? (tensor.shape, tensor.dtype, tensor.device) : default).ToArray());
        return Forward(ctx, vars);
    }

    /// <inheritdoc/>
    public sealed override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        try
        {
            var gradients = Backward(ctx, grad_output);
            // The dispose scope around a pass ends with it: until then, each handle would keep the memory of its gradient.
            GivenGradients.Replace(gradients);
            if (!gradients.Contains(grad_output)) grad_output.Dispose();
            return gradients!;
        }
        catch (Exception error)
        {
            BackwardFaults.Add(new BackwardFailedException(typeof(T).FullName!, typeof(T).Assembly.GetName().Name!, $"{error.GetType().Name}: {error.Message}", error.StackTrace));
            var inputs = ((long[] Shape, ScalarType Type, Device Device)[])ctx.get_data(Inputs);
            return [.. inputs.Select(input => input.Shape is null ? null! : zeros(input.Shape, input.Type, input.Device))];
        }
    }
}

/// <summary>The handles of the gradients that a function of this thread has given last. By the next call libtorch has handles of its own.</summary>
internal static class GivenGradients
{
    [ThreadStatic]
    private static List<Tensor?>? last;

    public static void Replace(List<Tensor?>? gradients)
    {
        if (last is not null)
            foreach (var gradient in last) gradient?.Dispose();
        last = gradients;
    }
}

/// <summary>What went wrong in backward passes since it was last asked for. The host asks after each pass.</summary>
public static class BackwardFaults
{
    private static readonly ConcurrentQueue<BackwardFailedException> Waiting = new();

    /// <summary>Throws the first failure, and forgets all.</summary>
    /// <exception cref="BackwardFailedException">A <see cref="GuardedFunction{T}"/> threw.</exception>
    public static void ThrowIfAny()
    {
        if (!Waiting.TryDequeue(out var first)) return;
        Waiting.Clear();
        throw first;
    }

    internal static void Add(BackwardFailedException fault) => Waiting.Enqueue(fault);
}

/// <summary>A custom backward pass threw. Holds strings only, so that it keeps no plugin in memory.</summary>
/// <param name="function">Full name of the function.</param>
/// <param name="assembly">Name of the assembly that it is in.</param>
/// <param name="message">What it threw.</param>
/// <param name="trace">Its stack trace as text.</param>
public sealed class BackwardFailedException(string function, string assembly, string message, string? trace) : Exception($"{function} failed in its backward pass: {message}")
{
    /// <summary>Full name of the function.</summary>
    public string Function { get; } = function;

    /// <summary>Name of the assembly that it is in: by it the host finds the plugin.</summary>
    public string Assembly { get; } = assembly;

    /// <summary>Its stack trace as text.</summary>
    public string? PluginTrace { get; } = trace;
}
