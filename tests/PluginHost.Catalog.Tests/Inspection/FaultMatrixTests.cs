using System.Text;
using CsCheck;
using Microsoft.CodeAnalysis;
using PluginHost.Catalog.Install;
using PluginHost.Catalog.Tests.Install;

namespace PluginHost.Catalog.Tests.Inspection;

/// <summary>Every way in which a plugin's files can be wrong: one clear message, at the install and in a folder, and the others go on.</summary>
public sealed class FaultMatrixTests : IDisposable
{
    private const string Sdk = """
        [assembly: System.Reflection.AssemblyVersion("VERSION")]
        namespace PluginHost.Sdk;
        public sealed class PluginAttribute(string id, string summary) : System.Attribute { public string Id => id; public string Summary => summary; }
        public sealed class AcceptsAttribute(params string[] extensions) : System.Attribute { public string[] Extensions => extensions; }
        public sealed class SdkRangeAttribute(string range) : System.Attribute { public string Range => range; }
        public abstract record MediaContent;
        public sealed record MediaFile(string Path) : MediaContent;
        public sealed record MediaFormat(int Size, int Rate, int Seconds);
        public interface IMediaDecoder { MEMBERS }
        MORE
        """;

    private const string Decode = "MediaContent Decode(string path, string modality, MediaFormat format, System.Threading.CancellationToken cancellation);";

    private readonly PackagePlace place = new();

    public void Dispose() => place.Dispose();

    private static byte[] Contract(string version, string members = Decode, string more = "") => PluginCompiler.Compile("PluginHost.Sdk",
        Sdk.Replace("VERSION", version, StringComparison.Ordinal).Replace("MEMBERS", members, StringComparison.Ordinal).Replace("MORE", more, StringComparison.Ordinal));

    private static byte[] Against(byte[] contract, string more = "", string range = "[0.1.0,1.0.0)") =>
        PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad", more: more, range: range), contract: contract);

    public static TheoryData<string, string> Faults => new()
    {
        { "malformed deps.json", "Bad.deps.json is not valid JSON; build or install the plugin again" },
        { "deps.json of another shape", "Bad.deps.json is not a dependency file: it has not the shape of one; build or install the plugin again" },
        { "empty assembly", "Bad.dll is not a .NET assembly: it is empty, truncated or something else" },
        { "garbage assembly", "Bad.dll is not a .NET assembly: it is empty, truncated or something else" },
        { "truncated assembly", "Bad.dll is truncated: its header promises more than its * bytes; install or copy it again" },
        { "garbage private assembly", "Private.dll is damaged: its metadata cannot be read" },
        { "other architecture", "Bad.dll was built for Arm64, and this host runs on Amd64; build it for AnyCPU" },
        { "newer SDK", "it works with PluginHost.Sdk [2.0.0, 3.0.0), and this host has 0.1.0; update the host, or take an older version of the plugin" },
        { "older SDK", "it works with PluginHost.Sdk [0.0.1, 0.1.0), and this host has 0.1.0; take a newer version of the plugin" },
        { "nonsense for an SDK range", "'new' is no range of PluginHost.Sdk versions; [1.2.0,2.0.0) is one" },
        { "missing SDK type", "Bad.dll needs PluginHost.Sdk.Shiny, which PluginHost.Sdk 0.1.0 lacks; it was built for [0.1.0,1.0.0)" },
        { "missing SDK member", "Bad.dll needs PluginHost.Sdk.MediaFormat.Depth, which PluginHost.Sdk 0.1.0 lacks; it was built for [0.1.0,1.0.0)" },
        { "missing interface member", "AcmeMedia in Bad.dll does not implement PluginHost.Sdk.IMediaDecoder.Decode(...), which PluginHost.Sdk 0.1.0 has; it was built for [0.1.0,1.0.0): take a newer version of the plugin" },
        { "newer SDK of the same members", "Bad.dll was compiled against PluginHost.Sdk 0.9.0, and this host has 0.1.0; update the host, or take an older version of the plugin" },
        { "dependency missing", "Bad needs Private 0.0.0.0, which is not in the folder; build the plugin with EnableDynamicLoading, or add Private.dll" },
        { "native library missing", "Bad.deps.json names the native library runtimes/linux-x64/native/libbad.so, which is not in the folder; build or install the plugin again" },
        { "private copy of the SDK", "it brings its own copy of PluginHost.Sdk.dll, so none of its types would be the host's; refer to it with ExcludeAssets=\"runtime;native\" (a project: Private=\"false\")" },
        { "id of the wrong kind", "Acme.AcmeMedia: by its id fusion.bad is of kind 'fusion', which implements INodePlugin, but its class implements IMediaDecoder; change the id or the class" },
        { "requirement of no option", "Acme.AcmeMedia: media.bad requires 'text-scorer' from its option 'Run', but has no option of that name whose value is a text or null; there is none" },
        { "optional requirement of no option", "Acme.AcmeMedia: media.bad requires 'text-scorer' as optional, but 'From' names no option that says whether it is there" },
        { "requirement twice", "Acme.AcmeMedia: media.bad requires 'text-scorer' twice; once is enough" },
        { "no plugin class", "Bad.dll has no class marked [Plugin(\"kind.name\", \"...\")]" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Plugin_WithAFault_IsOneClearErrorAndTheOthersGoOn(string fault, string expected)
    {
        place.Publish("Acme.Good", "1.0.0");
        await place.Install("Acme.Good");
        var bad = Bad(fault);
        bad.WriteTo(place.Feed);

        var refused = await place.Refused("Bad");

        Matches($"the package Bad 1.0.0 from local is refused: {expected}", refused);
        CopyToFolder(bad);
        using var catalog = place.Discover();
        Matches(expected, Assert.Single(catalog.Installed.Faults).Message);
        Assert.Equal("1.0.0", place.Tell("media.acme-good"));
    }

    [Fact]
    public void Plugin_CutOffAnywhere_IsAFaultOrAsGoodAsWhole()
    {
        var whole = PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad"));
        var folder = Directory.CreateDirectory(Path.Combine(place.Plugins, "Bad")).FullName;
        Gen.Int[0, whole.Length - 1].Sample(length =>
        {
            File.WriteAllBytes(Path.Combine(folder, "Bad.dll"), whole[..length]);
            using var catalog = place.Discover();
            Assert.Empty(catalog.Installed.All);
            Assert.Single(catalog.Installed.Faults);
        }, iter: 100, threads: 1);
    }

    [Fact]
    public void Plugin_WithAnyByteChanged_NeverStopsTheOthers()
    {
        var whole = PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad"));
        var folder = Directory.CreateDirectory(Path.Combine(place.Plugins, "Bad")).FullName;
        Directory.CreateDirectory(Path.Combine(place.Plugins, "Good"));
        File.WriteAllBytes(Path.Combine(place.Plugins, "Good", "Good.dll"), PluginCompiler.Compile("Good", PluginCompiler.Media("media.good")));
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            File.WriteAllBytes(Path.Combine(folder, "Bad.dll"), [.. whole[..at], value, .. whole[(at + 1)..]]);
            using var catalog = place.Discover();
            Assert.Contains(catalog.Installed.All, plugin => plugin.Id == "media.good");
            Assert.True(catalog.Installed.All.Count + catalog.Installed.Faults.Count == 2);
        }, iter: 200, threads: 1);
    }

    private static TestPackage Bad(string fault)
    {
        var package = TestPackage.Media("Bad", "1.0.0", "media.bad");
        var main = package.Files["plugin/Bad.dll"];
        void Main(byte[] assembly) => package.Files["plugin/Bad.dll"] = assembly;
        void Dependencies(string json) => package.Files["plugin/Bad.deps.json"] = Encoding.UTF8.GetBytes(json);
        switch (fault)
        {
            case "malformed deps.json": Dependencies("{"); break;
            case "deps.json of another shape": Dependencies("{ \"targets\": [] }"); break;
            case "empty assembly": Main([]); break;
            case "garbage assembly": Main([1, 2, 3, 4, 5, 6, 7, 8]); break;
            case "truncated assembly": Main(main[..^600]); break;
            case "garbage private assembly": package.Files["plugin/Private.dll"] = [1, 2, 3]; break;
            case "other architecture": Main(PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad"), Platform.Arm64)); break;
            case "newer SDK": package.Sdk = "[2.0.0,3.0.0)"; Main(Against(Contract("2.0.0"), range: "[2.0.0,3.0.0)")); break;
            case "older SDK": package.Sdk = "[0.0.1,0.1.0)"; Main(Against(Contract("0.0.1"), range: "[0.0.1,0.1.0)")); break;
            case "nonsense for an SDK range": Main(PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad", range: "new"))); break;
            case "missing SDK type":
                Main(Against(Contract("0.1.0", more: "public static class Shiny { public static void Polish() { } }"), "public static class Uses { public static void It() => Shiny.Polish(); }"));
                break;
            case "missing SDK member":
                Main(Against(PluginCompiler.Compile("PluginHost.Sdk", WithDepth()), "public static class Uses { public static int Of(MediaFormat format) => format.Depth; }"));
                break;
            case "missing interface member":
                Main(PluginCompiler.Compile("Bad", """
                    using PluginHost.Sdk;
                    [assembly: SdkRange("[0.1.0,1.0.0)")]
                    [Plugin("media.bad", "Knows an older interface.")]
                    public sealed class AcmeMedia : IMediaDecoder;
                    """, contract: Contract("0.1.0", members: "")));
                break;
            case "newer SDK of the same members": Main(Against(Contract("0.9.0"))); break;
            case "dependency missing":
                var library = PluginCompiler.Compile("Private", "public static class Inner { public static string Text => \"\"; }");
                Main(PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad", more: "public static class Uses { public static string Of() => Inner.Text; }"), library: library));
                break;
            case "native library missing":
                Dependencies("""
                    { "libraries": {}, "targets": { ".NETCoreApp,Version=v10.0": { "Natives/1.0.0": { "runtimeTargets": {
                        "runtimes/win-x64/native/bad.dll": { "rid": "win-x64", "assetType": "native" },
                        "runtimes/linux-x64/native/libbad.so": { "rid": "linux-x64", "assetType": "native" } } } } } }
                    """);
                break;
            case "private copy of the SDK": package.Files["plugin/PluginHost.Sdk.dll"] = File.ReadAllBytes(typeof(PluginHost.Sdk.PluginAttribute).Assembly.Location); break;
            case "id of the wrong kind": Main(PluginCompiler.Compile("Bad", PluginCompiler.Media("fusion.bad"))); break;
            case "requirement of no option": Main(Requiring("""[Requires("text-scorer", From = "Run")]""")); break;
            case "optional requirement of no option": Main(Requiring("""[Requires("text-scorer", Optional = true)]""")); break;
            case "requirement twice": Main(Requiring("""[Requires("text-scorer")] [Requires("text-scorer")]""")); break;
            case "no plugin class": Main(PluginCompiler.Compile("Bad", "public static class Nothing;")); break;
            default: throw new ArgumentOutOfRangeException(nameof(fault), fault, null);
        }
        return package;
    }

    private static byte[] Requiring(string attributes) =>
        PluginCompiler.Compile("Bad", PluginCompiler.Media("media.bad").Replace("[Accepts(", attributes + " [Accepts(", StringComparison.Ordinal));

    private static string WithDepth() => Sdk.Replace("VERSION", "0.1.0", StringComparison.Ordinal).Replace("MEMBERS", Decode, StringComparison.Ordinal).Replace("MORE", "", StringComparison.Ordinal)
        .Replace("int Seconds);", "int Seconds) { public int Depth => 1; }", StringComparison.Ordinal);

    private void CopyToFolder(TestPackage package)
    {
        foreach (var (name, content) in package.Files)
        {
            var path = Path.Combine(place.Plugins, "Bad", name["plugin/".Length..]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
    }

    private static void Matches(string expected, string actual)
    {
        var parts = expected.Split('*');
        Assert.StartsWith(parts[0], actual, StringComparison.Ordinal);
        if (parts.Length == 1) Assert.Equal(expected, actual);
        else Assert.EndsWith(parts[1], actual, StringComparison.Ordinal);
    }
}
