using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using PluginHost.Catalog.Health;

namespace PluginHost.Catalog;

/// <summary>
/// Keeps the process alive when a plugin throws where nobody can catch: in a thread or timer of its own, in a finalizer, in a task
/// that nobody awaits. What no plugin did ends the process as ever.
/// </summary>
/// <remarks>Not to be contained: FailFast, a stack overflow, an abort of native code. A plugin that may do such things belongs into a process of its own.</remarks>
public static class FaultContainment
{
    private static int installed;

    /// <summary>To be called once, when the program starts; further calls change nothing.</summary>
    public static void Install()
    {
        if (Interlocked.Exchange(ref installed, 1) != 0) return;
        ExceptionHandling.SetUnhandledExceptionHandler(error => Report(error, "in a thread, timer or finalizer of its own"));
        TaskScheduler.UnobservedTaskException += (_, unobserved) =>
        {
            foreach (var error in unobserved.Exception.InnerExceptions)
                if (Report(error, "in a task that nobody awaits")) unobserved.SetObserved();
        };
    }

    // Strings only leave this frame: the exception would keep the plugin in memory.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Report(Exception error, string where)
    {
        if (FaultOwner.Of(error) is not { } plugin) return false;
        plugin.Fail($"{error.GetType().Name} {where}: {error.Message}");
        return true;
    }
}
