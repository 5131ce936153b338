namespace PluginHost.Terminal;

/// <summary>The end of standard input as a request to stop: a process that another one has started learns in this way that the other is gone.</summary>
internal sealed class InputEnd : IDisposable
{
    private readonly CancellationTokenSource stop;

    /// <param name="watched">Whether it is looked at.</param>
    /// <param name="cancellation">Stops as well.</param>
    public InputEnd(bool watched, CancellationToken cancellation)
    {
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (watched) new Thread(Wait) { IsBackground = true, Name = "input" }.Start();
    }

    public CancellationToken Token => stop.Token;

    public void Dispose() => stop.Dispose();

    private void Wait()
    {
        using var input = Console.OpenStandardInput();
        var buffer = new byte[64];
        try
        {
            while (input.Read(buffer) > 0)
            {
                // what is said does not matter
            }
            stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // the command has ended by itself
        }
    }
}
