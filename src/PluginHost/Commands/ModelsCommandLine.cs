using System.CommandLine;
using Microsoft.Extensions.Logging;
using PluginHost.Artifacts.Published;
using PluginHost.Config;
using PluginHost.Sdk;

namespace PluginHost.Commands;

/// <summary>The command line of <c>pluginhost import</c> and <c>pluginhost export</c>.</summary>
internal static class ModelsCommandLine
{
    private static readonly string[] Formats = ["huggingface", "gguf", "onnx"];
    private static readonly string[] Types = ["f32", "f16", "q8_0"];

    public static Command Import(Option<string?> hostFile, Option<bool> json, ILoggerFactory loggers)
    {
        var folder = new Argument<string>("folder") { Description = "A published model's folder: config.json, safetensors, tokenizer.json" };
        var name = new Option<string?>("--name") { Description = "How the model will be found; default: the folder's name" };
        var command = new Command("import", "Makes a run of a published model: decoders like Llama, Mistral, Qwen and SmolLM, picture towers of CLIP and SigLIP") { folder, name, json };
        command.SetAction((parsed, cancellation) => Task.FromResult(
            new ImportCommand(HostFile.Read(parsed.GetValue(hostFile)), loggers, Console.Out, cancellation).Run(parsed.GetValue(folder)!, parsed.GetValue(name), parsed.GetValue(json))));
        return command;
    }

    public static Command Export(Option<string?> hostFile, Option<bool> json, ILoggerFactory loggers)
    {
        var run = new Argument<string>("run") { Description = "A run: folder, name or 'latest'" };
        var format = new Option<string>("--format") { Description = "huggingface or gguf for the decoder, onnx for the encoders", Required = true };
        var folder = new Option<string>("--out") { Description = "Where the files go", Required = true };
        var type = new Option<string>("--type") { Description = "How GGUF stores matrices: f32, f16 or q8_0", DefaultValueFactory = _ => "f32" };
        var command = new Command("export", "Writes a run's model for other runtimes") { run, format, folder, type, json };
        command.SetAction((parsed, cancellation) => Task.FromResult(new ExportCommand(HostFile.Read(parsed.GetValue(hostFile)), loggers, Console.Out, cancellation).Run(
            parsed.GetValue(run)!, Known("--format", parsed.GetValue(format)!, Formats), Known("--type", parsed.GetValue(type)!, Types) switch
            {
                "f16" => GgufType.F16,
                "q8_0" => GgufType.Q8_0,
                _ => GgufType.F32,
            }, parsed.GetValue(folder)!, parsed.GetValue(json))));
        return command;
    }

    private static string Known(string option, string value, string[] known) =>
        known.Contains(value) ? value : throw new UserErrorException($"{option} {value}: known are {string.Join(", ", known)}{NearestName.Suggestion(value, known)}.");
}
