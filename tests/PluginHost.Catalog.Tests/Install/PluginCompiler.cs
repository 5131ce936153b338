using System.Collections.Concurrent;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace PluginHost.Catalog.Tests.Install;

/// <summary>Compiles small plugins, so that a test can have any id, version and contract that it wants.</summary>
internal static class PluginCompiler
{
    private static readonly MetadataReference[] Runtime =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Where(path => path.EndsWith(".dll", StringComparison.Ordinal))
            .Where(path => Path.GetFileName(path) is "PluginHost.Sdk.dll" or "TorchSharp.dll" || Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path))];

    private static readonly ConcurrentDictionary<string, byte[]> Compiled = [];

    /// <summary>A media plugin that gives its version back.</summary>
    public static string Media(string id = "media.acme", string version = "1.0.0", string more = "", string range = "[0.1.0,1.0.0)") => $$"""
        using System.Threading;
        using PluginHost.Sdk;
        [assembly: System.Reflection.AssemblyInformationalVersion("{{version}}")]
        [assembly: SdkRange("{{range}}")]
        namespace Acme;
        [Plugin("{{id}}", "Gives its version back.")]
        [Accepts(".acme")]
        public sealed class AcmeMedia : IMediaDecoder
        {
            public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation) => new MediaFile("{{version}}");
        }
        {{more}}
        """;

    /// <param name="name">Assembly name.</param>
    /// <param name="source">C# code.</param>
    /// <param name="platform">For which processor.</param>
    /// <param name="contract">Another PluginHost.Sdk than the host's, or null.</param>
    /// <param name="library">A library to compile against, or null.</param>
    public static byte[] Compile(string name, string source, Platform platform = Platform.AnyCpu, byte[]? contract = null, byte[]? library = null) =>
        Compiled.GetOrAdd($"{name}|{platform}|{Hash(contract)}|{source}", _ =>
        {
            IEnumerable<MetadataReference> references = Runtime;
            if (contract is not null) references = Runtime.Where(reference => !reference.Display!.EndsWith("PluginHost.Sdk.dll", StringComparison.Ordinal)).Append(MetadataReference.CreateFromImage(contract));
            if (library is not null) references = references.Append(MetadataReference.CreateFromImage(library));
            var compilation = CSharpCompilation.Create(name, [CSharpSyntaxTree.ParseText(source)], references,
                new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, platform: platform, optimizationLevel: OptimizationLevel.Release, deterministic: true));
            using var stream = new MemoryStream();
            var result = compilation.Emit(stream);
            Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(item => item.Severity == DiagnosticSeverity.Error)));
            return stream.ToArray();
        });

    private static string Hash(byte[]? content) => content is null ? "" : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(content));
}
