using System.Runtime.InteropServices;
using Microsoft.Diagnostics.Runtime;

namespace PluginHost.Catalog.Unloading;

/// <summary>
/// Runs in a child process and walks another process's heap from its roots to a load context. The runtime's edge from an object of an
/// unloadable type to the context's allocator is no field, so it is followed here by hand.
/// </summary>
internal sealed class RootFinder
{
    // Reading structures that change meanwhile can go round in circles.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private readonly ClrRuntime runtime;
    private readonly ulong allocatorHandle;
    private readonly ulong allocator;

    // Each object with the one it was reached from; a root's with 0. How they hang together is looked up for the path alone: names are slow to read.
    private readonly Dictionary<ulong, ulong> reached = [];
    private readonly Dictionary<ulong, ClrRoot> roots = [];
    private readonly Queue<ulong> waiting = new();

    private RootFinder(ClrRuntime runtime, ulong handle)
    {
        this.runtime = runtime;
        var reader = runtime.DataTarget.DataReader;
        var type = runtime.Heap.GetObject(reader.ReadPointer(handle));
        if (!type.IsValid) return;
        allocatorHandle = runtime.GetTypeByMethodTable((ulong)type.ReadField<nint>("m_handle"))?.LoaderAllocatorHandle ?? 0;
        if (allocatorHandle != 0) allocator = reader.ReadPointer(allocatorHandle);
    }

    /// <summary>Prints the path; nothing when there is none, or the walk failed.</summary>
    /// <param name="process">The process to look into.</param>
    /// <param name="handle">Address, in hex, of its weak handle to a type of the context.</param>
    /// <param name="stop">Whether the process is held still meanwhile. It is let go, come what may, after five seconds.</param>
    /// <param name="input">A line is waited for: until then the process may not be looked into.</param>
    /// <param name="output">For the path.</param>
    public static int Run(int process, ulong handle, bool stop, TextReader input, TextWriter output)
    {
        input.ReadLine();
        using var limit = new Timer(_ => Environment.Exit(1), null, Longest, Timeout.InfiniteTimeSpan);
        output.WriteLine(Find(process, handle, stop));
        return 0;
    }

    private static string? Find(int process, ulong handle, bool stop)
    {
        using var target = DataTarget.AttachToProcess(process, stop, new DataTargetOptions { SymbolPaths = [] });
        using var runtime = target.ClrVersions[0].CreateRuntime(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), DacName()), ignoreMismatch: true);
        var finder = new RootFinder(runtime, handle);
        if (finder.allocator == 0) return null;
        return finder.RunningThread() ?? (finder.Walk() ? finder.Chain() : null);
    }

    private string? RunningThread()
    {
        foreach (var thread in runtime.Threads.Where(thread => thread.IsAlive))
            if (thread.EnumerateStackTrace().FirstOrDefault(frame => IsOwn(frame.Method?.Type)) is { } frame)
                return $"thread {thread.ManagedThreadId}, which runs {TypeName(frame.Method!.Type)}.{frame.Method.Name}";
        return null;
    }

    private bool Walk()
    {
        // The library would look through all handles for every object.
        var dependents = runtime.EnumerateHandles().Where(handle => handle.HandleKind == ClrHandleKind.Dependent).ToLookup(handle => handle.Object.Address, handle => handle.Dependent.Address);
        foreach (var root in runtime.Heap.EnumerateRoots())
            if (Keeps(root) && Reach(root.Object.Address, 0)) roots.Add(root.Object.Address, root);
        while (waiting.TryDequeue(out var address))
        {
            if (address == allocator) return true;
            var item = runtime.Heap.GetObject(address);
            if (!item.IsValid) continue;
            if (IsOwn(item.Type)) Reach(allocator, address);
            foreach (var reference in item.EnumerateReferenceAddresses(carefully: true, considerDependantHandles: false)) Reach(reference, address);
            foreach (var dependent in dependents[address]) Reach(dependent, address);
        }
        return false;
    }

    // Dependent handles are edges, not roots; the runtime has weak kinds that the library does not know and takes for strong.
    private static bool Keeps(ClrRoot root) => root.RootKind != ClrRootKind.FinalizerQueue
        && root is not ClrHandle { HandleKind: not (ClrHandleKind.Strong or ClrHandleKind.Pinned or ClrHandleKind.AsyncPinned or ClrHandleKind.SizedRef or ClrHandleKind.RefCounted) };

    private bool Reach(ulong address, ulong from)
    {
        if (address == 0 || !reached.TryAdd(address, from)) return false;
        waiting.Enqueue(address);
        return true;
    }

    private bool IsOwn(ClrType? type) => type is { IsCollectible: true } && type.LoaderAllocatorHandle == allocatorHandle;

    private string? Chain()
    {
        var chain = new List<(ulong Address, string How)>();
        for (var address = allocator; address != 0; address = reached[address]) chain.Add((address, How(reached[address], address)));
        chain.Reverse();
        var hops = chain.Take(chain.Count - 1).Select(step => (step.How, Name: ObjectName(step.Address))).ToList();
        var root = hops[0].How;
        if (hops.Count > 1 && StaticField(chain[1].Address) is { } field)
        {
            root = $"static field {field}";
            hops[1] = ("", hops[1].Name);
            hops.RemoveAt(0);
        }
        else if (hops[0].Name.StartsWith("Object[]", StringComparison.Ordinal)) return null; // the fields' table; its entry has moved meanwhile
        var text = $"{root} → {hops[0].Name}";
        foreach (var (how, name) in hops.Skip(1)) text += $"{how} → {name}";
        // A type object's own reference to its allocator says nothing to a reader.
        return hops[^1].Name.StartsWith("typeof(", StringComparison.Ordinal) ? text : $"{text}{chain[^1].How}";
    }

    private string How(ulong from, ulong to)
    {
        if (from == 0) return Describe(roots[to]);
        var item = runtime.Heap.GetObject(from);
        foreach (var reference in item.EnumerateReferencesWithFields(carefully: true, considerDependantHandles: false))
            if (reference.Object.Address == to) return reference.Field?.Name is { } field ? $".{Readable(field)}" : "[]";
        return IsOwn(item.Type) ? "" : " (dependent handle)";
    }

    private string ObjectName(ulong address)
    {
        var item = runtime.Heap.GetObject(address);
        if (item.Type?.Name == "System.RuntimeType" && runtime.GetTypeByMethodTable((ulong)item.ReadField<nint>("m_handle")) is { } type) return $"typeof({TypeName(type)})";
        return TypeName(item.Type);
    }

    // The culprit's full name; the framework's types are known by their last one.
    private string TypeName(ClrType? type)
    {
        var name = type?.Name ?? "?";
        if (IsOwn(type) || !name.StartsWith("System.", StringComparison.Ordinal)) return name;
        var generic = name.IndexOfAny(['<', '[']);
        return name[(name.LastIndexOf('.', generic < 0 ? name.Length - 1 : generic) + 1)..];
    }

    private string? StaticField(ulong value)
    {
        foreach (var module in runtime.EnumerateModules())
            foreach (var (table, _) in module.EnumerateTypeDefToMethodTableMap())
                if (runtime.GetTypeByMethodTable(table) is { } type && type.StaticFields.FirstOrDefault(field => Holds(field, value)) is { } field)
                    return $"{TypeName(type)}.{Readable(field.Name ?? "?")}";
        return null;
    }

    private bool Holds(ClrStaticField field, ulong value)
    {
        try
        {
            return field.IsObjectReference && runtime.AppDomains.Any(domain => field.ReadObject(domain).Address == value);
        }
        catch (InvalidOperationException)
        {
            return false; // not initialised yet
        }
    }

    private string Describe(ClrRoot root) => root switch
    {
        ClrStackRoot { StackFrame: { } frame } => $"stack of thread {frame.Thread?.ManagedThreadId} in {(frame.Method is { } method ? $"{TypeName(method.Type)}.{method.Name}" : frame.FrameName)}",
        ClrHandle handle => $"GC handle ({handle.HandleKind.ToString().ToLowerInvariant()})",
        _ => root.RootKind.ToString(),
    };

    // <Name>k__BackingField -> Name
    private static string Readable(string field) => field.StartsWith('<') && field.IndexOf('>', StringComparison.Ordinal) is > 1 and var end ? field[1..end] : field;

    private static string DacName() => OperatingSystem.IsWindows() ? "mscordaccore.dll" : OperatingSystem.IsMacOS() ? "libmscordaccore.dylib" : "libmscordaccore.so";
}
