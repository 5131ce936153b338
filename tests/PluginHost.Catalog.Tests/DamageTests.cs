using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Tests;

/// <summary>Damage that metadata does not show: it is one failure at the first call, and the other plugins work.</summary>
public sealed class DamageTests : IDisposable
{
    private static readonly Dictionary<string, object?> Defaults = [];
    private readonly FixturePlugins fixtures = new();

    public void Dispose() => fixtures.Dispose();

    [Fact]
    public void Call_OfCorruptIl_IsOneFailure()
    {
        var main = Path.Combine(fixtures.Copy("Fixture.Plain"), "Fixture.Plain.dll");
        fixtures.Copy("Fixture.Skia");
        Corrupt(main, "PlainMedia", "Decode");

        Assert.Matches("media.plain failed while decoding: (InvalidProgramException|BadImageFormatException): ", OnlyFailure("media.plain"));
        using var catalog = fixtures.Discover();
        using var other = catalog.Lease("media.skia", Defaults);
        Assert.IsType<Picture>(Decode(other));
    }

    [Fact]
    public void Call_WithAnUndeclaredNativeLibraryMissing_IsOneFailureThatNamesTheLibrary()
    {
        var folder = fixtures.Copy("Fixture.Skia");
        fixtures.Copy("Fixture.Plain");
        foreach (var native in Directory.GetFiles(folder, "libSkiaSharp*", SearchOption.AllDirectories)) File.Delete(native);
        File.Delete(Path.Combine(folder, "Fixture.Skia.deps.json"));

        Assert.StartsWith("media.skia failed while decoding: DllNotFoundException: Unable to load shared library 'libSkiaSharp'", OnlyFailure("media.skia"), StringComparison.Ordinal);
        using var catalog = fixtures.Discover();
        using var other = catalog.Lease("media.plain", Defaults);
        Assert.IsType<MediaFile>(Decode(other));
    }

    private static MediaContent Decode(PluginLease lease) => lease.Guarded<IMediaDecoder>().Decode("", "image", new MediaFormat(1, 8000, 1), default);

    private string OnlyFailure(string id)
    {
        using var catalog = fixtures.Discover();
        Assert.Empty(catalog.Installed.Faults);
        using var lease = catalog.Lease(id, Defaults);
        var error = Assert.Throws<PluginFailedException>(() => Decode(lease));
        var events = new List<PluginEvent>();
        catalog.Events.Subscribe(new Recorder(events)).Dispose();
        Assert.Equal((id, error.Message), events.Where(item => item.Kind == PluginEventKind.Faulted).Select(item => (item.Id, item.Detail)).Single());
        return error.Message;
    }

    /// <summary>Overwrites a method's code with bytes that are no instructions.</summary>
    private static void Corrupt(string assembly, string type, string method)
    {
        var image = File.ReadAllBytes(assembly);
        using var reader = new PEReader(new MemoryStream(image));
        var metadata = reader.GetMetadataReader();
        var definition = metadata.MethodDefinitions.Select(metadata.GetMethodDefinition).Single(item =>
            metadata.GetString(item.Name) == method && metadata.GetString(metadata.GetTypeDefinition(item.GetDeclaringType()).Name) == type);
        var section = reader.PEHeaders.SectionHeaders[reader.PEHeaders.GetContainingSectionIndex(definition.RelativeVirtualAddress)];
        var start = definition.RelativeVirtualAddress - section.VirtualAddress + section.PointerToRawData + 12; // after the fat header
        image.AsSpan(start, reader.GetMethodBody(definition.RelativeVirtualAddress).GetILReader().Length).Fill(0xc0);
        File.WriteAllBytes(assembly, image);
    }

    private sealed class Recorder(List<PluginEvent> events) : IObserver<PluginEvent>
    {
        public void OnNext(PluginEvent value) => events.Add(value);

        public void OnError(Exception error) => throw error;

        public void OnCompleted()
        {
        }
    }
}
