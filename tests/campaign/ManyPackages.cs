using System.Security.Cryptography;
using System.Text;
using PluginHost.Catalog.Install;
using PluginHost.Catalog.Tests.Install;

namespace PluginHost.Campaign;

/// <summary>A store with many packages. Each has one plugin whose module initializer writes a file: no code of theirs has run while there is none.</summary>
internal static class ManyPackages
{
    /// <summary>The id of a plugin; numbers have three digits.</summary>
    public static string IdOf(int number) => $"media.number{number:000}";

    /// <summary>Fills a store.</summary>
    /// <param name="folder">The store.</param>
    /// <param name="count">How many packages, up to 1000.</param>
    /// <param name="trace">The file that a plugin writes when its code runs.</param>
    public static void Write(string folder, int count, string trace)
    {
        var store = new PluginStore(folder);
        var original = PluginCompiler.Compile("Acme.Number000", PluginCompiler.Media("media.number000", more: $$"""
            public static class Tripwire
            {
                [System.Runtime.CompilerServices.ModuleInitializer]
                public static void Trip() => System.IO.File.WriteAllText("{{trace}}", "a plugin's code has run");
            }
            public enum Tone { Soft, Loud }
            public sealed record Options(
                [property: System.ComponentModel.DataAnnotations.Range(8, 1024)] int Width = 64,
                [property: System.ComponentModel.Description("How loud.")] Tone Tone = Tone.Loud, double Rate = 0.25, string[]? Words = null);
            [Plugin("media.second000", "Has options.")]
            public sealed class SecondMedia(Options options) : IMediaDecoder
            {
                public MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation) => new MediaFile(options.ToString());
            }
            """));
        var packages = new List<LockedPackage>();
        for (var number = 0; number < count; number++)
        {
            var assembly = Renumbered(original, number);
            var package = new LockedPackage
            {
                Id = $"Acme.Number{number:000}",
                Version = "1.0.0",
                Source = "local",
                Sha512 = Convert.ToBase64String(SHA512.HashData(assembly)),
                Assembly = $"Acme.Number{number:000}.dll",
                Sdk = "[0.1.0, 1.0.0)",
                Files = new Dictionary<string, string> { [$"Acme.Number{number:000}.dll"] = Convert.ToBase64String(SHA512.HashData(assembly)) },
            };
            Directory.CreateDirectory(store.FolderOf(package));
            File.WriteAllBytes(Path.Combine(store.FolderOf(package), package.Assembly), assembly);
            packages.Add(package);
        }
        new PluginLock(packages).Write(store.LockPath);
    }

    // The number has the same length in every name, so the file stays whole.
    private static byte[] Renumbered(byte[] assembly, int number)
    {
        var copy = assembly.ToArray();
        foreach (var name in new[] { "umber", "econd" })
            for (var (from, to) = (Encoding.UTF8.GetBytes(name + "000"), Encoding.UTF8.GetBytes($"{name}{number:000}")); copy.AsSpan().IndexOf(from) is var at && at >= 0 && number > 0;) to.CopyTo(copy, at);
        return copy;
    }
}
