using System.Globalization;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;

namespace PluginHost.Sdk.Build.Tests;

public sealed class PackageTests(StrangerFolder stranger) : IClassFixture<StrangerFolder>
{
    private static readonly string[] Kinds = ["fusion", "encoder", "decoder", "objective", "metric", "source", "media", "tokenizer", "filter", "transform", "weighting", "tuning", "template"];

    private string Package(string id) => Path.Combine(stranger.Feed, $"{id}.{StrangerFolder.Version}.nupkg");

    [Theory]
    [InlineData("PluginHost.Sdk", "Microsoft.Extensions.AI.Abstractions, Microsoft.Extensions.Logging.Abstractions, TorchSharp")]
    [InlineData("PluginHost.Sdk.Layers", "PluginHost.Sdk")]
    [InlineData("PluginHost.Sdk.Build", "Microsoft.CodeAnalysis.BannedApiAnalyzers")]
    [InlineData("PluginHost.Templates", "")]
    public void Package_OfTheSdk_DependsOnWhatItUsesItself(string id, string expected) =>
        Assert.Equal(expected, string.Join(", ", StrangerFolder.Dependencies(Package(id)).Select(item => item.Split(' ')[0]).Order(StringComparer.Ordinal)));

    [Fact]
    public void Template_EveryKind_PassesItsSuiteFromPackagesAlone()
    {
        foreach (var kind in Kinds) stranger.NewPlugin(kind, "Mine", $"every/{kind}");
        var every = Path.Combine(stranger.Path, "every");
        // One test project for all of them: the template's own, with the others' plugins and suites added.
        var project = Path.Combine(every, "fusion", "Fusion.Mine.Tests", "Fusion.Mine.Tests.csproj");
        var others = string.Concat(Kinds.Where(kind => kind != "fusion").Select(kind => $"""
            <ProjectReference Include="{every}/{kind}/{Title(kind)}.Mine/{Title(kind)}.Mine.csproj" />
            <Compile Include="{every}/{kind}/{Title(kind)}.Mine.Tests/ConformanceTests.cs" Link="{kind}.cs" />
            """));
        File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", $"<ItemGroup>{others}</ItemGroup></Project>", StringComparison.Ordinal));

        var outcome = stranger.Dotnet(every, "test", project, "-c", "Release", "-m:2").Succeeded();

        var passed = int.Parse(Regex.Match(outcome.Output, @"Passed:\s+(\d+)").Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.True(passed > 100, $"only {passed} facts ran\n{outcome.Output}");
    }

    [Fact]
    public void PluginsNew_Kinds_WritesWhatTheTemplateDoes()
    {
        var program = Path.Combine(StrangerFolder.Root, "src", "PluginHost", "bin", StrangerFolder.Configuration, "pluginhost.dll");
        foreach (var kind in new[] { "fusion", "media" })
        {
            var expected = stranger.NewPlugin(kind, "LongName", $"template/{kind}");
            stranger.Dotnet(stranger.Path, program, "plugins", "new", kind, "LongName", "--output", $"command/{kind}").Succeeded();
            Assert.Equal(Files(expected), Files(Path.Combine(stranger.Path, "command", kind)));
        }
        Assert.Contains($"known: {string.Join(", ", Kinds.Order(StringComparer.Ordinal))}", stranger.Dotnet(stranger.Path, program, "plugins", "new", "none-of-these", "Mine").Output, StringComparison.Ordinal);
        Assert.Contains("did you mean 'fusion'?", stranger.Dotnet(stranger.Path, program, "plugins", "new", "fusoin", "Mine").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Pack_Plugin_HoldsItsFolderAndAsksForTheSdkAlone()
    {
        var folder = stranger.NewPlugin("fusion", "Packed", "packed");
        stranger.Dotnet(folder, "pack", "-o", "one").Succeeded();
        // Another time, another build.
        Directory.Delete(Path.Combine(folder, "Fusion.Packed", "bin"), recursive: true);
        Directory.Delete(Path.Combine(folder, "Fusion.Packed", "obj"), recursive: true);
        stranger.Dotnet(folder, "pack", "-o", "two").Succeeded();
        var package = Path.Combine(folder, "one", "Fusion.Packed.1.0.0.nupkg");

        Assert.Equal(File.ReadAllBytes(package), File.ReadAllBytes(Path.Combine(folder, "two", "Fusion.Packed.1.0.0.nupkg")));
        Assert.Equal([$"PluginHost.Sdk [{StrangerFolder.Version}, 1.0.0)"], StrangerFolder.Dependencies(package));
        Assert.Equal("PluginHostPlugin", StrangerFolder.Nuspec(package).Descendants().Single(element => element.Name.LocalName == "packageType").Attribute("name")!.Value);
        Assert.Equal(
            ["Fusion.Packed.deps.json", "Fusion.Packed.dll", "Fusion.Packed.pdb", "Fusion.Packed.runtimeconfig.json", "PluginHost.Sdk.Layers.dll", "sample.json"],
            StrangerFolder.Entries(package).Where(entry => entry.StartsWith("plugin/", StringComparison.Ordinal)).Select(entry => entry["plugin/".Length..]).Order(StringComparer.Ordinal));
        Assert.Equal($"[{StrangerFolder.Version},1.0.0)", SdkRange(Path.Combine(folder, "Fusion.Packed", "bin", "Release", "Fusion.Packed", "Fusion.Packed.dll")));
    }

    [Fact]
    public void Build_PinningCalls_AreReportedByName()
    {
        var folder = stranger.NewPlugin("metric", "Pinning", "pinning");
        File.WriteAllText(Path.Combine(folder, "Metric.Pinning", "Pins.cs"), """
            using System.Text.Json;
            namespace Metric.Pinning;
            internal static class Pins
            {
                public static object A() => System.ComponentModel.TypeDescriptor.GetConverter(typeof(Pins));
                public static string B() => JsonSerializer.Serialize(new Pinned(1));
                public static object C() => new System.Xml.Serialization.XmlSerializer(typeof(Pinned));
                public static void D(System.EventHandler handler) => System.AppDomain.CurrentDomain.ProcessExit += handler;
                public static object E() => new System.Threading.Timer(_ => { }, null, 1, 1);
                public static object F(TorchSharp.torch.Tensor x) => x.matmul(x);
            }
            internal sealed record Pinned(int Value);
            """);

        var output = stranger.Dotnet(Path.Combine(folder, "Metric.Pinning"), "build").Output;

        foreach (var call in new[] { "TypeDescriptor", "JsonSerializer.Serialize<TValue>", "XmlSerializer", "AppDomain.ProcessExit", "Timer", "matmul" })
            Assert.Contains(output.Split('\n'), line => line.Contains("RS0030", StringComparison.Ordinal) && line.Contains(call, StringComparison.Ordinal));
    }

    [Fact]
    public void Pack_PluginOfAnothersKind_RefersToItsPackageAndBringsNoCopy()
    {
        var kind = Package("Scorer.Kind");
        Assert.Contains("ref/net10.0/Scorer.Kind.dll", StrangerFolder.Entries(kind));
        Assert.Contains("plugin/Scorer.Kind.dll", StrangerFolder.Entries(kind));
        var folder = stranger.NewPlugin("objective", "Near", "near");
        var project = Path.Combine(folder, "Objective.Near", "Objective.Near.csproj");
        File.WriteAllText(project, File.ReadAllText(project).Replace("  <ItemGroup>\n", $"  <ItemGroup>\n    <PackageReference Include=\"Scorer.Kind\" Version=\"{StrangerFolder.Version}\" />\n", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(folder, "Objective.Near", "Near.cs"), """
            namespace Objective.Near;
            internal sealed class Near : Scorer.Kind.IScorer
            {
                public TorchSharp.torch.Tensor Score(TorchSharp.torch.Tensor query, TorchSharp.torch.Tensor key) => -(query - key).abs().sum(1);
            }
            """);

        stranger.Dotnet(folder, "pack", Path.Combine("Objective.Near", "Objective.Near.csproj"), "-o", "out").Succeeded();
        var package = Path.Combine(folder, "out", "Objective.Near.1.0.0.nupkg");

        Assert.Equal([$"PluginHost.Sdk [{StrangerFolder.Version}, 1.0.0)", $"Scorer.Kind {StrangerFolder.Version}"], StrangerFolder.Dependencies(package));
        Assert.DoesNotContain(StrangerFolder.Entries(package), entry => entry.EndsWith("Scorer.Kind.dll", StringComparison.Ordinal));
    }

    private static string Title(string kind) => char.ToUpperInvariant(kind[0]) + kind[1..];

    private static SortedDictionary<string, string> Files(string folder) => new(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetRelativePath(folder, file), File.ReadAllText), StringComparer.Ordinal);

    private static string SdkRange(string file)
    {
        using var assembly = new PEReader(File.OpenRead(file));
        var metadata = assembly.GetMetadataReader();
        foreach (var handle in metadata.GetAssemblyDefinition().GetCustomAttributes())
        {
            var attribute = metadata.GetCustomAttribute(handle);
            if (attribute.Constructor.Kind != HandleKind.MemberReference) continue;
            var type = metadata.GetTypeReference((TypeReferenceHandle)metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent);
            if (metadata.GetString(type.Name) != "SdkRangeAttribute") continue;
            var value = metadata.GetBlobReader(attribute.Value);
            value.ReadUInt16();
            return value.ReadSerializedString()!;
        }
        return "";
    }
}
