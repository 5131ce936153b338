using PluginHost.Sdk;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training.Precision;

/// <summary>Rounds the operands of linear maps to a narrow format; sums run in fp32, as in the matrix units that have such formats.</summary>
internal interface IRounding
{
    /// <summary>What flows forward: inputs and weights.</summary>
    /// <param name="value">The operand.</param>
    /// <param name="map">The name of the map's weight, by which a history is kept.</param>
    /// <param name="role">Which of the map's tensors it is.</param>
    Tensor Forward(Tensor value, string map, TensorRole role);

    /// <summary>Products, before they leave the map.</summary>
    Tensor Output(Tensor value);

    /// <summary>Gradients that enter the map from behind.</summary>
    Tensor Gradient(Tensor value, string map);

    /// <summary>Gradients that leave it.</summary>
    Tensor GradientOutput(Tensor value);
}

/// <summary>Which tensor of a linear map.</summary>
internal enum TensorRole { Input, Weight, Gradient }

/// <summary>Linear maps in a narrow format over fp32 master weights; the gradients of the weights are fp32 too.</summary>
internal sealed class LowPrecision(IRounding rounding, IEnumerable<(string Name, Parameter Value)> parameters) : IArithmetic
{
    private readonly Dictionary<Tensor, string> names = parameters.ToDictionary(item => (Tensor)item.Value, item => item.Name, ReferenceEqualityComparer.Instance as IEqualityComparer<Tensor>);

    public Tensor Linear(Tensor input, Tensor weight) => RoundedLinear.apply([input, weight, rounding, names.GetValueOrDefault(weight, "")]);

    private sealed class RoundedLinear : GuardedFunction<RoundedLinear>
    {
        private const string Rounding = "Rounding";
        private const string Map = "Map";

        public override string Name => nameof(RoundedLinear);

        protected override Tensor Forward(autograd.AutogradContext context, object[] inputs)
        {
            var (input, weight, rounding, map) = ((Tensor)inputs[0], (Tensor)inputs[1], (IRounding)inputs[2], (string)inputs[3]);
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var (x, w) = (rounding.Forward(input, map, TensorRole.Input), rounding.Forward(weight, map, TensorRole.Weight));
            context.save_for_backward([x.MoveToOuterDisposeScope(), w.MoveToOuterDisposeScope()]); // taken after this returns
            context.save_data(Rounding, rounding);
            context.save_data(Map, map);
            return rounding.Output(nn.functional.linear(x, w)).MoveToOuterDisposeScope();
        }

        protected override List<Tensor?> Backward(autograd.AutogradContext context, Tensor gradient)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            var saved = context.get_saved_variables();
            var (x, w) = (saved[0], saved[1]);
            var rounding = (IRounding)context.get_data(Rounding);
            var g = rounding.Gradient(gradient, (string)context.get_data(Map));     // [..., outputs]
            var input = rounding.GradientOutput(matmul(g, w));                     // [..., inputs]
            var weight = rounding.GradientOutput(matmul(g.reshape(-1, g.shape[^1]).t(), x.reshape(-1, x.shape[^1])));
            return [input.MoveToOuterDisposeScope(), weight.MoveToOuterDisposeScope(), null, null];
        }
    }
}

/// <summary>bf16 or fp16: everything that enters or leaves a map is rounded; fp16 overflows to infinity beyond 65504.</summary>
internal sealed class HalfRounding(ScalarType type) : IRounding
{
    public Tensor Forward(Tensor value, string map, TensorRole role) => Round(value);

    public Tensor Output(Tensor value) => Round(value);

    public Tensor Gradient(Tensor value, string map) => Round(value);

    public Tensor GradientOutput(Tensor value) => Round(value);

    private Tensor Round(Tensor value) => value.to(type).to(ScalarType.Float32);
}
