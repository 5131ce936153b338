using System.Diagnostics;
using System.Text.Json;

namespace PluginHost.Architecture.Tests;

public class TorchBuildTests
{
    [Theory]
    [InlineData("cuda", "TorchSharp-cuda-")]
    [InlineData("cpu", "libtorch-cpu-")]
    public void Executable_TorchProperty_SelectsTheNativePackage(string torch, string package)
    {
        var references = PackageReferences("src/PluginHost/PluginHost.csproj", $"-p:Torch={torch}");

        Assert.Single(references, name => name.StartsWith(package, StringComparison.Ordinal));
        Assert.DoesNotContain(references, name => name.StartsWith(torch == "cuda" ? "libtorch-cpu-" : "TorchSharp-cuda-", StringComparison.Ordinal));
    }

    [Fact]
    public void Executable_ByDefault_RunsOnTheCpuBuild() =>
        Assert.Single(PackageReferences("src/PluginHost/PluginHost.csproj"), name => name.StartsWith("libtorch-cpu-", StringComparison.Ordinal));

    private static List<string> PackageReferences(string project, params string[] properties)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, WorkingDirectory = Repository.Root };
        foreach (var argument in (string[])["msbuild", project, "-getItem:PackageReference", "-nologo", .. properties]) start.ArgumentList.Add(argument);
        // The evaluation must not inherit this test run's own build.
        foreach (var name in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList()) start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        using var json = JsonDocument.Parse(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        return [.. json.RootElement.GetProperty("Items").GetProperty("PackageReference").EnumerateArray().Select(item => item.GetProperty("Identity").GetString()!)];
    }
}
