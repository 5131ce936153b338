using System.Diagnostics;
using System.Globalization;
using PluginHost.Artifacts;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Campaign;

/// <summary>Times loading a safetensors file beside copying it from the page cache, in turns.</summary>
internal static class LoadSpeed
{
    private const int Rounds = 9;

    public static void Run(int megabytes)
    {
        var folder = Directory.CreateTempSubdirectory("pluginhost-load-").FullName;
        try
        {
            var file = Path.Combine(folder, "model.safetensors");
            using (var scope = NewDisposeScope())
                SafeTensors.Write(file, Enumerable.Range(0, megabytes / 10).ToDictionary(i => $"layers.{i}.weight", _ => rand(2_500_000)), new Dictionary<string, string>());
            var (load, copy) = (new List<double>(), new List<double>());
            for (var round = 0; round < Rounds; round++)
            {
                copy.Add(Time(() => File.Copy(file, Path.Combine(folder, "copy"), overwrite: true)));
                load.Add(Time(() =>
                {
                    foreach (var tensor in SafeTensors.Read(file).Tensors.Values) tensor.Dispose();
                }));
            }
            var (loading, copying) = (load.Order().ElementAt(Rounds / 2), copy.Order().ElementAt(Rounds / 2));
            var size = new FileInfo(file).Length / 1e9;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{size:0.00} GB: loaded at {size / loading:0.00} GB/s, copied at {size / copying:0.00} GB/s: {copying / loading:0.00} of a copy's speed (medians of {Rounds})"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Time(Action action)
    {
        var clock = Stopwatch.StartNew();
        action();
        return clock.Elapsed.TotalSeconds;
    }
}
