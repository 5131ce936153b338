using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;

namespace PluginHost.Catalog.Inspection;

/// <summary>Refuses an assembly file that cannot be loaded here, before anything tries to.</summary>
internal static class AssemblyFileCheck
{
    /// <exception cref="FolderFaultException">It is no assembly, is cut off, or was built for another processor.</exception>
    public static void Run(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var name = Path.GetFileName(path);
        try
        {
            var headers = file.PEHeaders;
            if (!file.HasMetadata) throw new BadImageFormatException();
            var length = new FileInfo(path).Length;
            if (headers.SectionHeaders.Any(section => (long)section.PointerToRawData + section.SizeOfRawData > length))
                throw new FolderFaultException($"{name} is truncated: its header promises more than its {length} bytes; install or copy it again");
            var machine = headers.CoffHeader.Machine;
            var anywhere = machine == Machine.I386 && headers.CorHeader!.Flags.HasFlag(CorFlags.ILOnly) && !headers.CorHeader.Flags.HasFlag(CorFlags.Requires32Bit);
            if (!anywhere && machine != Here) throw new FolderFaultException($"{name} was built for {machine}, and this host runs on {Here}; build it for AnyCPU");
        }
        catch (BadImageFormatException)
        {
            throw new FolderFaultException($"{name} is not a .NET assembly: it is empty, truncated or something else");
        }
    }

    private static Machine Here => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => Machine.Amd64,
        Architecture.Arm64 => Machine.Arm64,
        Architecture.X86 => Machine.I386,
        _ => Machine.Unknown,
    };
}
