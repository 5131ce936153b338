using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Decoder.Causal;
using Encoder.ClipVision;
using Encoder.LogMel;
using Encoder.Patches;
using Encoder.TextTransformer;
using Encoder.Video;
using Encoder.Vit;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using PluginHost.Artifacts.Published;
using PluginHost.Artifacts.Published.Onnx;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Plugins.Neural.Tests;

/// <summary>What is exported gives in an independent runtime what it gives here.</summary>
public sealed class ExportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("export").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    private static readonly Dictionary<string, long> Picture = new() { ["C"] = 3, ["H"] = 16, ["W"] = 24 };

    public static TheoryData<string> Pictures => ["vit", "stem", "patches", "clip", "clip-plain", "siglip"];

    private static INodePlugin Encoder(string name) => name switch
    {
        "vit" => new VitEncoder(new VitOptions(Width: 16, Layers: 2, Heads: 2, FeedForward: 24, Pooled: 12)),
        "stem" => new VitEncoder(new VitOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 24, Pooled: 12, Patch: 8, Stem: true, StemWidth: 8, StemShrink: 4)),
        "patches" => new PatchesEncoder(new PatchesOptions(Width: 16, Pooled: 8)),
        "clip" => new ClipVisionEncoder(new ClipVisionOptions(Width: 16, Layers: 3, Heads: 2, FeedForward: 24, Patch: 8, Pooled: 12)),
        "clip-plain" => new ClipVisionEncoder(new ClipVisionOptions(Width: 16, Layers: 2, Heads: 4, FeedForward: 24, Patch: 8, Pooled: 16, Projection: false, Activation: ClipActivation.Gelu, TokenLayer: -1)),
        _ => new ClipVisionEncoder(new ClipVisionOptions(
            Width: 16, Layers: 2, Heads: 2, FeedForward: 24, Patch: 8, Pooled: 16, Projection: false, Activation: ClipActivation.GeluTanh, ClassToken: false, InputNorm: false, PatchBias: true, AttentionPool: true,
            Pixels: ClipPixels.Half, TokenLayer: -1)),
    };

    [Theory]
    [MemberData(nameof(Pictures))]
    public void Onnx_PictureEncoder_GivesTheSameInOnnxRuntime(string name)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var encoder = Build.Node<IEncoder>(Encoder(name), Picture);
        Disturb(encoder);
        var pixels = rand(3, 3, 16, 24);
        var expected = encoder.Encode(new Masked(pixels, ones(3, dtype: ScalarType.Bool)));

        var outputs = Run(encoder, [null, 3, 16, 24], NamedOnnxValue.CreateFromTensor("pixels", new DenseTensor<float>(pixels.data<float>().ToArray(), [3, 3, 16, 24])));

        Same(expected.Tokens.Data, outputs["tokens"]);
        Same(expected.Pooled, outputs["pooled"]);
    }

    [Fact]
    public void Onnx_TextEncoder_GivesTheSameInOnnxRuntime()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var encoder = Build.Node<IEncoder>(new TextTransformerEncoder(new TextTransformerOptions(Width: 16, Layers: 2, Heads: 2, FeedForward: 24, Pooled: 12)), new() { ["V"] = 20 });
        Disturb(encoder);
        var text = Build.Text(new long[,] { { 1, 5, 9, 3, 2 }, { 4, 2, 8, -1, -1 } });
        var expected = encoder.Encode(text);

        var outputs = Run(encoder, [],
            NamedOnnxValue.CreateFromTensor("ids", new DenseTensor<long>(text.Ids.data<long>().ToArray(), [2, 5])),
            NamedOnnxValue.CreateFromTensor("mask", new DenseTensor<bool>(text.Mask.data<bool>().ToArray(), [2, 5])));

        Same(expected.Tokens.Data * text.Mask.unsqueeze(-1), Array(outputs["tokens"]) * text.Mask.unsqueeze(-1));
        Same(expected.Pooled, outputs["pooled"]);
    }

    [Theory]
    [InlineData(2000, 1)]
    [InlineData(2001, 2)]
    [InlineData(1999, 3)]
    public void Onnx_SoundEncoder_GivesTheSameInOnnxRuntime(int length, int stride)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var encoder = Build.Node<IEncoder>(new LogMelEncoder(new LogMelOptions(Width: 16, Layers: 2, Heads: 2, FeedForward: 24, Bands: 20, Stride: stride, Pooled: 12)), new() { ["R"] = 4000 });
        Disturb(encoder);
        // A whole sound, a short one with noise behind its end, and none.
        var samples = randn(3, length);
        var mask = stack([ones(length, dtype: ScalarType.Bool), arange(length) < 777, zeros(length, dtype: ScalarType.Bool)]);
        var expected = encoder.Encode(new Masked(samples, mask));

        var outputs = Run(encoder, [],
            NamedOnnxValue.CreateFromTensor("samples", new DenseTensor<float>(samples.data<float>().ToArray(), [3, length])),
            NamedOnnxValue.CreateFromTensor("mask", new DenseTensor<bool>(mask.data<bool>().ToArray(), [3, length])));

        var real = expected.Tokens.Mask.unsqueeze(-1);
        Same(expected.Tokens.Data * real, Array(outputs["tokens"]) * real);
        Same(expected.Pooled, outputs["pooled"]);
    }

    [Theory]
    [InlineData(4, 16, 24, 1, 8, 4)]
    [InlineData(6, 8, 12, 2, 4, 5)]
    [InlineData(6, 12, 8, 3, 4, 6)]
    public void Onnx_VideoEncoder_GivesTheSameInOnnxRuntime(int frames, int height, int width, int tube, int patch, int stem)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var options = new VideoOptions(Width: 16, Layers: 2, Heads: 2, FeedForward: 24, Patch: patch, Tube: tube, StemWidth: stem, Pooled: 12);
        var encoder = Build.Node<IEncoder>(new VideoEncoder(options), new() { ["F"] = frames, ["C"] = 3, ["H"] = height, ["W"] = width });
        Disturb(encoder);
        // A whole video, a short one that ends within a tube, one with a gap, and none; noise where nothing is.
        var video = rand([4, frames, 3, height, width]);
        var at = arange(frames);
        var mask = stack([at >= 0, at < 1, (at < 1).logical_or(at >= frames - 2), at < 0]);
        var expected = encoder.Encode(new Masked(video, mask));

        var outputs = Run(encoder, [null, frames, 3, height, width],
            NamedOnnxValue.CreateFromTensor("frames", new DenseTensor<float>(video.data<float>().ToArray(), [4, frames, 3, height, width])),
            NamedOnnxValue.CreateFromTensor("mask", new DenseTensor<bool>(mask.data<bool>().ToArray(), [4, frames])));

        Assert.True(Build.Finite(expected.Tokens.Data));
        Same(expected.Tokens.Data, outputs["tokens"]);
        Same(expected.Pooled, outputs["pooled"]);
    }

    [Fact]
    public void Onnx_Decoder_IsRefused()
    {
        using var scope = NewDisposeScope();
        var decoder = Build.Node<IDecoder>(new CausalDecoder(new CausalOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 24)), new() { ["V"] = 300 });
        var error = Assert.Throws<UserErrorException>(() => OnnxExport.Graph("decoder", ((IDescribedTower)decoder).Describe(), []));
        Assert.Equal("'decoder' is no encoder of text, pictures, sound or videos.", error.Message);
    }

    /// <summary>Greedy tokens of llama.cpp over the exported file: 5 prompts, 64 tokens each, for each way in which a decoder is written.</summary>
    [SkippableTheory]
    [InlineData("llama")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void Gguf_Fp32_GivesTheSameGreedyTokensInLlamaCpp(string family)
    {
        var npm = Environment.GetEnvironmentVariable("PLUGINHOST_NPM") ?? "";
        Skip.IfNot(Directory.Exists(Path.Combine(npm, "node_modules", "node-llama-cpp")) && Directory.Exists(Path.Combine(npm, "node_modules", "@node-llama-cpp", "linux-x64")),
            "needs npm's node-llama-cpp: npm install --prefix FOLDER --ignore-scripts node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1, and PLUGINHOST_NPM=FOLDER");
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var decoder = Build.Node<IDecoder>(new CausalDecoder(new CausalOptions(
            Width: 64, Layers: 2, Heads: 4, KeyValueHeads: 2, FeedForward: 96, RopeBase: 20000, TiedHead: family == "qwen3", HeadWidth: family == "qwen3" ? 32 : 0,
            NormEpsilon: 1e-5, AttentionBias: family == "qwen2", QueryKeyNorm: family == "qwen3")), new() { ["V"] = 300 });
        Disturb(decoder);
        var file = Path.Combine(folder, "model.gguf");
        GgufExport.File(((IDescribedTower)decoder).Describe(), Tokens(300), "test", 256, GgufType.F32).Write(file);
        int[][] prompts = [.. Enumerable.Range(0, 5).Select(i => Enumerable.Range(0, 6).Select(j => 7 + (i * 53 + j * 29) % 250).ToArray())];

        var expected = prompts.Select(prompt => Greedy(decoder, prompt, 64)).ToArray();

        var actual = JsonSerializer.Deserialize<int[][]>(Node(npm, """
            import { getLlama } from "node-llama-cpp";
            const [file, prompts] = process.argv.slice(2);
            const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
            const model = await llama.loadModel({ modelPath: file });
            const answers = [];
            for (const prompt of JSON.parse(prompts)) {
              const context = await model.createContext({ contextSize: 256, threads: 1, flashAttention: false, experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" });
              const answer = [];
              for await (const token of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
                answer.push(token);
                if (answer.length === 64) break;
              }
              answers.push(answer);
              await context.dispose();
            }
            console.log(JSON.stringify(answers));
            process.exit(0);
            """, file, JsonSerializer.Serialize(prompts)))!;
        for (var i = 0; i < prompts.Length; i++) Assert.Equal(expected[i], actual[i]);
        Assert.True(expected.SelectMany(answer => answer).Distinct().Count() > 20, "the answers hardly say anything");
    }

    [Fact]
    public void Gguf_DecoderLikeNoPublishedFamily_IsRefused()
    {
        using var scope = NewDisposeScope();
        var decoder = Build.Node<IDecoder>(new CausalDecoder(new CausalOptions(Width: 16, Layers: 1, Heads: 2, FeedForward: 24, AttentionBias: true, QueryKeyNorm: true)), new() { ["V"] = 300 });
        var error = Assert.Throws<UserErrorException>(() => GgufExport.File(((IDescribedTower)decoder).Describe(), Tokens(300), "test", 256, GgufType.F32));
        Assert.Contains("both attentionBias and queryKeyNorm", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GgufType.F32, 4 * 96)]
    [InlineData(GgufType.F16, 2 * 96)]
    [InlineData(GgufType.Q8_0, 34 * 3)]
    public void Gguf_Types_TakeTheSpaceOfTheFormat(GgufType type, int bytes)
    {
        using var scope = NewDisposeScope();
        var file = new GgufFile();
        var value = arange(96, dtype: ScalarType.Float32).view(3, 32);
        file.Add("x", value, type);
        file.Write(Path.Combine(folder, "x.gguf"));
        var content = File.ReadAllBytes(Path.Combine(folder, "x.gguf"));
        var data = content[^((bytes + 31) / 32 * 32)..];
        Assert.Equal("GGUF"u8.ToArray(), content[..4]);
        Assert.Equal(0, content.Length % 32);
        if (type == GgufType.F32) Assert.Equal(95f, BitConverter.ToSingle(data, 95 * 4));
        else if (type == GgufType.F16) Assert.Equal((Half)95, BitConverter.ToHalf(data, 95 * 2));
        else Assert.Equal(95f, (float)BitConverter.ToHalf(data, 68) * (sbyte)data[68 + 2 + 31], 0.05f);
    }

    [Fact]
    public void Gguf_Interleave_PutsPartnersOfARotationSideBySide()
    {
        using var scope = NewDisposeScope();
        var rows = arange(8, dtype: ScalarType.Float32).view(8, 1);
        Assert.Equal([0f, 2, 1, 3, 4, 6, 5, 7], GgufExport.Interleave(rows, 2).data<float>().ToArray());
    }

    private Dictionary<string, DenseTensor<float>> Run(IEncoder encoder, long?[] shape, params NamedOnnxValue[] inputs)
    {
        var file = Path.Combine(folder, "encoder.onnx");
        OnnxExport.Graph("encoder", ((IDescribedTower)encoder).Describe(), shape).Write(file);
        using var session = new InferenceSession(file);
        using var outputs = session.Run(inputs);
        return outputs.ToDictionary(output => output.Name, output => output.AsTensor<float>().ToDenseTensor());
    }

    // Norms are ones, biases are zeros and tokens at rest alike in a new tower; a mistake in any of them must show.
    private static void Disturb(object node)
    {
        manual_seed(11);
        foreach (var parameter in ((nn.Module)node).parameters()) parameter.add_(randn_like(parameter) * 0.2);
    }

    private static Tensor Array(DenseTensor<float> value) => tensor(value.ToArray()).view([.. value.Dimensions.ToArray().Select(size => (long)size)]);

    private static void Same(Tensor expected, DenseTensor<float> actual) => Same(expected, Array(actual));

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.InRange(Build.Distance(expected, actual), 0, 1e-4f);
    }

    private static int[] Greedy(IDecoder decoder, int[] prompt, int count)
    {
        using var cache = decoder.CreateCache(1, prompt.Length + count);
        var (answer, next) = (new List<int>(), prompt.Select(id => (long)id).ToArray());
        while (answer.Count < count)
        {
            using var scope = NewDisposeScope();
            var ids = new long[1, next.Length];
            for (var i = 0; i < next.Length; i++) ids[0, i] = next[i];
            var token = (int)decoder.Forward(Build.Text(ids), null, cache)[0, -1].argmax().item<long>();
            answer.Add(token);
            next = [token];
        }
        return [.. answer];
    }

    /// <summary>Bytes and names, with nothing learnt.</summary>
    private static ExportTokens Tokens(int count)
    {
        string[] special = ["<pad>", "<bos>", "<eos>"];
        var names = special.Concat(Enumerable.Range(0, 256).Select(value => ((char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? value : 0x400 + value)).ToString()))
            .Concat(Enumerable.Range(0, count - 259).Select(i => $"word{i}"));
        return new ExportTokens(new JsonObject
        {
            ["added_tokens"] = new JsonArray([.. special.Select((content, id) => new JsonObject { ["id"] = id, ["content"] = content, ["special"] = true })]),
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = new JsonObject([.. names.Select((name, id) => KeyValuePair.Create(name, (JsonNode?)id))]), ["merges"] = new JsonArray() },
        }, Begin: 1, End: 2, Pad: 0);
    }

    private static string Node(string npm, string module, params string[] arguments)
    {
        var script = Path.Combine(npm, $"test-{Guid.NewGuid():N}.mjs");
        File.WriteAllText(script, module);
        try
        {
            using var node = Process.Start(new ProcessStartInfo("node", [script, .. arguments]) { RedirectStandardOutput = true })!;
            var output = node.StandardOutput.ReadToEnd();
            node.WaitForExit();
            Assert.Equal(0, node.ExitCode);
            return output[output.LastIndexOf("[[", StringComparison.Ordinal)..];
        }
        finally
        {
            File.Delete(script);
        }
    }
}
