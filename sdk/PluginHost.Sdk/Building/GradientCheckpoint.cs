using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk;

/// <summary>
/// Gradient checkpointing (Chen et al. 2016): a segment of a forward pass keeps its input alone, and is computed once more, with the
/// same random numbers, when its gradients are wanted. Memory is traded for about a third more arithmetic; results stay the same bit for bit.
/// </summary>
public static class GradientCheckpoint
{
    /// <summary>Runs a segment of one input and one output.</summary>
    /// <param name="segment">The segment. It changes no state, and is called a second time in the backward pass.</param>
    /// <param name="input">Its input, of any shape.</param>
    /// <param name="weights">Every other tensor that may want a gradient from the segment; one that is left out gets none.</param>
    /// <returns>What the segment returns.</returns>
    public static Tensor Run(Func<Tensor, Tensor> segment, Tensor input, IEnumerable<Tensor> weights)
    {
        if (!is_grad_enabled()) return segment(input);
        object[] wanted = [.. weights.Where(weight => weight.requires_grad)];
        if (wanted.Length == 0 && !input.requires_grad) return segment(input);
        // A custom function leaves tensors of its output's size in the dispose scope.
        using var scope = NewDisposeScope();
        return Recomputed.apply([input, new Segment(segment, Arithmetic.Current, AdapterSet.Current), .. wanted]).MoveToOuterDisposeScope();
    }

    /// <summary>The segment with what its second run needs to go like the first.</summary>
    private sealed class Segment(Func<Tensor, Tensor> run, IArithmetic? arithmetic, AdapterSet? adapters)
    {
        private byte[]? generator;

        public Tensor First(Tensor input)
        {
            using var _ = no_grad();
            using var scope = NewDisposeScope();
            var before = get_rng_state().bytes.ToArray();
            var output = run(input);
            // Only who draws random numbers has to have them again.
            if (!get_rng_state().bytes.SequenceEqual(before)) generator = before;
            return output.MoveToOuterDisposeScope();
        }

        public Tensor Second(Tensor input)
        {
            // The backward pass may be on another thread.
            using var __ = Arithmetic.Use(arithmetic);
            using var ___ = AdapterSet.Use(adapters);
            if (generator is null) return run(input);
            var now = get_rng_state();
            var then = now.clone();
            then.bytes = generator;
            set_rng_state(then);
            try
            {
                return run(input);
            }
            finally
            {
                set_rng_state(now);
            }
        }
    }

    private sealed class Recomputed : GuardedFunction<Recomputed>
    {
        private const string Kept = "Segment";
        private const string Weights = "Weights";

        public override string Name => nameof(GradientCheckpoint);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            var (input, segment) = ((Tensor)inputs[0], (Segment)inputs[1]);
            context.save_for_backward([input]);
            context.save_data(Kept, segment);
            context.save_data(Weights, inputs[2..]);
            return segment.First(input);
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            using var _ = enable_grad();
            var kept = context.get_saved_variables()[0];
            var weights = ((object[])context.get_data(Weights)).Cast<Tensor>().ToArray();
            var input = kept.detach().requires_grad_(kept.requires_grad);
            var output = ((Segment)context.get_data(Kept)).Second(input);
            Tensor[] wanted = kept.requires_grad ? [input, .. weights] : weights;
            var gradients = autograd.grad([output], wanted, [gradient], allow_unused: true)
                .Select(item => item is null || item.IsInvalid ? null : item.MoveToOuterDisposeScope()).ToList();
            if (!kept.requires_grad) gradients.Insert(0, null);
            gradients.Insert(1, null); // the segment is no tensor
            return gradients;
        }
    }
}
