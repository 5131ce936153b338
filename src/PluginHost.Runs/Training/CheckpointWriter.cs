using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Runs.Training;

/// <summary>
/// Writes training states while training goes on: the tensors are copied between two steps, and a thread of its own writes the
/// copy. Never two at once: a state that comes too early waits for the one before it.
/// </summary>
internal sealed class CheckpointWriter(ICheckpoints checkpoints) : IDisposable
{
    private Thread? thread;
    private Exception? failure;

    /// <summary>Copies a state and has it written.</summary>
    /// <exception cref="RunFailedException">The state before it could not be written.</exception>
    public void Save(TrainingState state, int keep)
    {
        Wait();
        var copies = state.Tensors.ToDictionary(pair => pair.Key, pair => Copy(pair.Value));
        thread = new Thread(() => Write(state with { Tensors = copies }, keep)) { IsBackground = true, Name = "checkpoint" };
        thread.UnsafeStart(); // without the caller's AsyncLocals, which could keep a plugin alive
    }

    /// <summary>Returns when all is on the disk.</summary>
    /// <exception cref="RunFailedException">It could not be written.</exception>
    public void Wait()
    {
        thread?.Join();
        thread = null;
        if (Interlocked.Exchange(ref failure, null) is { } error)
            throw new RunFailedException($"A checkpoint could not be written: {error.Message} Make room or mend the folder, then go on with 'pluginhost run --resume'.");
    }

    /// <summary>Lets the state under way be finished.</summary>
    public void Dispose() => thread?.Join();

    private void Write(TrainingState state, int keep)
    {
        try
        {
            checkpoints.Save(state, keep);
        }
        catch (Exception error)
        {
            failure = error;
        }
        finally
        {
            foreach (var tensor in state.Tensors.Values) tensor.Dispose();
        }
    }

    private static Tensor Copy(Tensor value)
    {
        using var _ = no_grad();
        return value.detach().clone().DetachFromDisposeScope();
    }
}
