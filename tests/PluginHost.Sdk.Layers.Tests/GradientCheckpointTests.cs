using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Sdk.Layers.Tests;

// Dropout draws from torch's process-wide generator.
[CollectionDefinition(nameof(GradientCheckpointTests), DisableParallelization = true)]
[Collection(nameof(GradientCheckpointTests))]
public class GradientCheckpointTests
{
    private static (Tensor Output, Tensor[] Gradients, byte[] Generator) Train(bool checkpoint, double dropout, Action<TransformerStack>? attach = null)
    {
        manual_seed(3);
        var stack = new TransformerStack(new BlockShape(32, 3, 4, 2, 48, dropout), new BuildContext { Device = CPU, Logger = NullLogger.Instance, ContentFolder = "", Checkpoint = checkpoint });
        attach?.Invoke(stack);
        var input = randn(2, 7, 32).requires_grad_();
        var output = stack.Forward(input, new AttentionPass(null, Causal: true, null, null));
        Tensor[] wanted = [input, .. stack.parameters(), .. stack.Blocks.SelectMany(block => block.Projections).SelectMany(projection => projection.Adapter?.Weights ?? []),
            .. stack.Blocks.Select(block => block.Slot.Keys).OfType<Tensor>()];
        var gradients = autograd.grad([(output * output).sum()], wanted);
        BackwardFaults.ThrowIfAny();
        return (output, [.. gradients], get_rng_state().bytes.ToArray());
    }

    private static void AssertSame((Tensor Output, Tensor[] Gradients, byte[] Generator) plain, (Tensor Output, Tensor[] Gradients, byte[] Generator) twice)
    {
        Assert.Equal(plain.Output.data<float>().ToArray(), twice.Output.data<float>().ToArray());
        Assert.Equal(plain.Gradients.Length, twice.Gradients.Length);
        Assert.All(plain.Gradients.Zip(twice.Gradients), pair => Assert.Equal(pair.First.data<float>().ToArray(), pair.Second.data<float>().ToArray()));
        Assert.Equal(plain.Generator, twice.Generator);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void Run_Checkpointed_IsTheSameBitForBit(double dropout)
    {
        using var scope = NewDisposeScope();
        AssertSame(Train(false, dropout), Train(true, dropout));
    }

    [Fact]
    public void Run_WithAdaptersAndSlots_TheyLearnToo()
    {
        using var scope = NewDisposeScope();
        void Attach(TransformerStack stack)
        {
            foreach (var block in stack.Blocks)
            {
                block.Projections[0].Adapter = new Adapter(32, block.Projections[0].Rows);
                block.Slot.Keys = randn(2, 3, 8).requires_grad_();
                block.Slot.Values = randn(2, 3, 8);
            }
        }

        AssertSame(Train(false, 0, Attach), Train(true, 0, Attach));
    }

    [Fact]
    public void Run_SegmentThrowsTheSecondTime_IsReportedAfterThePass()
    {
        using var scope = NewDisposeScope();
        var calls = 0;
        var input = ones(2).requires_grad_();
        var output = GradientCheckpoint.Run(x => ++calls > 1 ? throw new InvalidOperationException("not again") : x * 2, input, []);

        output.sum().backward();

        Assert.Contains("not again", Assert.Throws<BackwardFailedException>(BackwardFaults.ThrowIfAny).Message);
    }

    [Fact]
    public void Run_NothingWantsAGradient_CallsTheSegmentOnce()
    {
        using var scope = NewDisposeScope();
        var calls = 0;
        Tensor Segment(Tensor x)
        {
            calls++;
            return x + 1;
        }

        GradientCheckpoint.Run(Segment, ones(2), [ones(2)]);
        using (no_grad()) GradientCheckpoint.Run(Segment, ones(2).requires_grad_(), []);

        Assert.Equal(2, calls);
    }

    private sealed class Adapter : nn.Module, IProjectionAdapter
    {
        private readonly TorchSharp.Modules.Parameter down;

        public Adapter(long inputs, long rows) : base("adapter")
        {
            down = new TorchSharp.Modules.Parameter(randn(rows, inputs) * 0.1);
            register_parameter("down", down);
        }

        public Tensor Delta(Tensor input) => nn.functional.linear(input, down);
    }
}
