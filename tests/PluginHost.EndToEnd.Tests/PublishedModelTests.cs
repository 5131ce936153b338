using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PluginHost.EndToEnd.Tests;

/// <summary>Published models of small random weights in the real layout go in, are trained on, and come out again.</summary>
public sealed class PublishedModelTests : IDisposable
{
    private readonly HostProcess host = new();

    public void Dispose() => host.Dispose();

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(host.Folder, name)).FullName;

    [Fact]
    public void Llava_FromImportedTowerAndDecoder_TrainsTheConnectorThenAll()
    {
        host.Run("import", Clip(Folder("clip")), "--name", "llava-vision").Succeeded();
        var report = JsonNode.Parse(host.Run("import", Llama(Folder("llama"), shards: 2), "--name", "llava-language", "--json").Succeeded().Output)!;
        Assert.Equal((20, 0, 1), ((int)report["mapped"]!, report["missing"]!.AsArray().Count, report["leftOver"]!.AsArray().Count));
        Assert.Equal("computed from rope_theta", (string)report["leftOver"]![0]!["reason"]!);

        string[] tiny =
        [
            "--set", "data.image.size=32", "--set", "data.text.length=256", "--set", "data.settings={\"train\":32,\"test\":4,\"validation\":4,\"compositional\":4}", "--set", "evaluate.0.limit=2",
            "--set", "stages.0.steps=2", "--set", "stages.0.batch=2", "--set", "stages.0.accumulate=1", "--set", "stages.1.steps=2", "--set", "stages.1.batch=2", "--set", "stages.1.accumulate=1",
            "--set", "stages.0.checkpointEvery=2", "--set", "stages.0.keepCheckpoints=9",
        ];
        host.Run(["run", HostProcess.Project("llava.json"), .. tiny]).Succeeded();

        // The record stands alone: its settings are those of the imported models.
        var project = HostProcess.Json(Path.Combine(host.LatestRun(), "project.json"));
        Assert.Equal(32, (int)project["graph"]!["decoder"]!["settings"]!["width"]!);
        Assert.Equal(8, (int)project["graph"]!["image"]!["settings"]!["patch"]!);
        var published = Tensors(Directory.GetFiles(Path.Combine((string)report["folder"]!), "model.safetensors").Single());
        var aligned = Tensors(Directory.GetFiles(Path.Combine(host.LatestRun(), "checkpoints")).Order(StringComparer.Ordinal).First(file => Path.GetFileName(file).StartsWith("00-", StringComparison.Ordinal)));
        var trained = Tensors(Path.Combine(host.LatestRun(), "model.safetensors"));
        var weights = published.Keys.Where(name => name.StartsWith("decoder.", StringComparison.Ordinal)).ToArray();
        Assert.All(weights, name => Assert.Equal(published[name], aligned[name]));
        Assert.All(weights, name => Assert.NotEqual(published[name], trained[name]));

        var refused = host.Run("export", "latest", "--format", "gguf", "--out", "out");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("reads 'connector.context': GGUF holds a decoder of text alone", refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("mistral")]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void HuggingFaceExport_ImportedAgain_HasTheSameWeightsAndAnswers(string family)
    {
        const string template = "{% for m in messages %}{{ bos_token }}{{ m.role }}: {{ m.content }}\n{% endfor %}";
        var folder = Llama(Folder(family), shards: 1, family);
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), template);
        var first = JsonNode.Parse(host.Run("import", folder, "--name", "one", "--json").Succeeded().Output)!;
        Assert.Empty(first["missing"]!.AsArray());
        Assert.All(first["leftOver"]!.AsArray(), tensor => Assert.Equal("computed from rope_theta", (string)tensor!["reason"]!));
        host.Run("export", "one", "--format", "huggingface", "--out", "out").Succeeded();
        var second = JsonNode.Parse(host.Run("import", "out", "--name", "two", "--json").Succeeded().Output)!;

        var (before, after) = (Tensors(Path.Combine((string)first["folder"]!, "model.safetensors")), Tensors(Path.Combine((string)second["folder"]!, "model.safetensors")));
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.All(before, tensor => Assert.Equal(tensor.Value, after[tensor.Key]));
        var project = (JsonNode model) => HostProcess.Json(Path.Combine((string)model["folder"]!, "project.json"));
        Assert.Equal(project(first)["graph"]!.ToJsonString(), project(second)["graph"]!.ToJsonString());
        Assert.Equal(template, (string)project(first)["data"]!["tokenizer"]!["settings"]!["chatTemplate"]!);
        Assert.Equal(template, (string)project(second)["data"]!["tokenizer"]!["settings"]!["chatTemplate"]!);
        // Mistral's layout is Llama's.
        Assert.Equal(family == "mistral" ? "llama" : family, (string)HostProcess.Json(Path.Combine(host.Folder, "out", "config.json"))["model_type"]!);
        Assert.Equal(host.Run("chat", "one", "abc", "--max-tokens", "12").Succeeded().Output, host.Run("chat", "two", "abc", "--max-tokens", "12").Succeeded().Output);
    }

    [Fact]
    public void Import_WhatCannotBeImported_SaysWhy()
    {
        void Refused(string expected, Action<string> spoil)
        {
            var folder = Llama(Folder(Guid.NewGuid().ToString("N")), shards: 2);
            spoil(folder);
            var outcome = host.Run("import", folder);
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
        }

        Refused("the architecture 'lama' is unknown; did you mean 'llama'?", folder => Change(folder, "model_type", "lama"));
        Refused("'rope_scaling' of the kind 'llama3'", folder => Change(folder, "rope_scaling", new JsonObject { ["rope_type"] = "llama3" }));
        Refused("'model.embed_tokens.weight' is [300,32], and the model that config.json describes has [300,64]", folder => Change(folder, "hidden_size", 64));
        Refused("lacks 9 of the 29 tensors", folder => Change(folder, "num_hidden_layers", 3));
        Refused("cannot read the chat template (chatTemplate; chat_template in tokenizer_config.json): line 1: the tag 'include' is not read", folder =>
            File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), """{"chat_template":[{"name":"tool_use","template":"x"},{"name":"default","template":"{% include 'a' %}"}]}"""));
        Refused("config.json: there is no such file", folder => File.Delete(Path.Combine(folder, "config.json")));
        Refused("model-2.safetensors: there is no such file", folder => File.Delete(Path.Combine(folder, "model-2.safetensors")));
        Refused("the file was cut off", folder =>
        {
            var shard = Path.Combine(folder, "model-1.safetensors");
            File.WriteAllBytes(shard, File.ReadAllBytes(shard)[..^100]);
        });
        Refused("its weights are pickled (pytorch_model.bin)", folder =>
        {
            foreach (var file in Directory.GetFiles(folder, "model*")) File.Delete(file);
            File.WriteAllText(Path.Combine(folder, "pytorch_model.bin"), "");
        });
        Refused("there is no tokenizer.json", folder => File.Delete(Path.Combine(folder, "tokenizer.json")));
        Refused("its model is of the type 'Unigram'", folder => File.WriteAllText(Path.Combine(folder, "tokenizer.json"), """{ "model": { "type": "Unigram" } }"""));
    }

    private static void Change(string folder, string key, JsonNode value)
    {
        var file = Path.Combine(folder, "config.json");
        var config = HostProcess.Json(file);
        config[key] = value;
        File.WriteAllText(file, config.ToJsonString());
    }

    [Fact]
    public void Import_Siglip_MapsEveryTensorOfTheTower()
    {
        const int width = 16, inner = 24, patch = 8, size = 32;
        var folder = Folder("siglip");
        Write(folder, "config.json", new JsonObject
        {
            ["model_type"] = "siglip",
            ["vision_config"] = new JsonObject { ["hidden_size"] = width, ["num_hidden_layers"] = 2, ["num_attention_heads"] = 2, ["intermediate_size"] = inner, ["patch_size"] = patch, ["image_size"] = size },
        });
        var tensors = new Dictionary<string, long[]>
        {
            ["logit_bias"] = [1],
            ["text_model.head.weight"] = [4, 4],
            ["vision_model.embeddings.position_embedding.weight"] = [size / patch * size / patch, width],
            ["vision_model.head.probe"] = [1, 1, width],
            ["vision_model.head.attention.in_proj_weight"] = [3 * width, width],
            ["vision_model.head.attention.in_proj_bias"] = [3 * width],
        };
        Map("vision_model.embeddings.patch_embedding", [width, 3, patch, patch]);
        foreach (var norm in (string[])["post_layernorm", "head.layernorm"]) Map($"vision_model.{norm}", [width]);
        Map("vision_model.head.attention.out_proj", [width, width]);
        for (var layer = 0; layer < 2; layer++) Block($"vision_model.encoder.layers.{layer}", width, inner, Map);
        Map("vision_model.head.mlp.fc1", [inner, width]);
        Map("vision_model.head.mlp.fc2", [width, inner]);
        SafeTensors(Path.Combine(folder, "model.safetensors"), tensors, half: true);

        var report = JsonNode.Parse(host.Run("import", folder, "--json").Succeeded().Output)!;

        Assert.Equal((tensors.Count - 2, 0), ((int)report["mapped"]!, report["missing"]!.AsArray().Count));
        Assert.Equal(["of the contrastive loss", "of the text tower"], report["leftOver"]!.AsArray().Select(tensor => (string)tensor!["reason"]!).Order(StringComparer.Ordinal));
        Assert.True((bool)HostProcess.Json(Path.Combine((string)report["folder"]!, "project.json"))["graph"]!["image"]!["settings"]!["attentionPool"]!);

        void Map(string name, long[] shape) => (tensors[$"{name}.weight"], tensors[$"{name}.bias"]) = (shape, [shape[0]]);
    }

    private static string Llama(string folder, int shards, string family = "llama")
    {
        const int width = 32, heads = 4, keyValueHeads = 2, inner = 48, vocabulary = 300, layers = 2;
        Write(folder, "config.json", new JsonObject
        {
            ["model_type"] = family,
            ["hidden_size"] = width,
            ["num_hidden_layers"] = layers,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = keyValueHeads,
            ["intermediate_size"] = inner,
            ["vocab_size"] = vocabulary,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 50000.0,
            ["max_position_embeddings"] = 512,
            ["tie_word_embeddings"] = family != "mistral",
            ["hidden_act"] = "silu",
        });
        string[] special = ["<pad>", "<bos>", "<eos>", "<answer>", "<image>", "<audio>", "<video>"];
        var next = 256;
        var bytes = Enumerable.Range(0, 256).Select(value => ((char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF) ? value : next++)).ToString());
        Write(folder, "tokenizer.json", new JsonObject
        {
            ["added_tokens"] = new JsonArray([.. special.Select((content, id) => new JsonObject { ["id"] = id, ["content"] = content, ["special"] = true })]),
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false },
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel" },
            ["model"] = new JsonObject { ["type"] = "BPE", ["vocab"] = new JsonObject([.. special.Concat(bytes).Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id))]), ["merges"] = new JsonArray() },
        });
        var tensors = new Dictionary<string, long[]> { ["model.embed_tokens.weight"] = [vocabulary, width], ["model.norm.weight"] = [width], ["model.layers.0.self_attn.rotary_emb.inv_freq"] = [4] };
        for (var layer = 0; layer < layers; layer++)
        {
            var (prefix, narrow) = ($"model.layers.{layer}", (long)width / heads * keyValueHeads);
            foreach (var (name, shape) in new (string, long[])[]
            {
                ("input_layernorm", [width]), ("post_attention_layernorm", [width]), ("self_attn.q_proj", [width, width]), ("self_attn.k_proj", [narrow, width]), ("self_attn.v_proj", [narrow, width]),
                ("self_attn.o_proj", [width, width]), ("mlp.gate_proj", [inner, width]), ("mlp.up_proj", [inner, width]), ("mlp.down_proj", [width, inner]),
            }) tensors[$"{prefix}.{name}.weight"] = shape;
            if (family == "qwen2")
                foreach (var (name, size) in new[] { ("q_proj", (long)width), ("k_proj", narrow), ("v_proj", narrow) }) tensors[$"{prefix}.self_attn.{name}.bias"] = [size];
            if (family == "qwen3")
                foreach (var name in (string[])["q_norm", "k_norm"]) tensors[$"{prefix}.self_attn.{name}.weight"] = [width / heads];
        }
        if (family == "mistral") tensors["lm_head.weight"] = [vocabulary, width];
        if (shards == 1)
        {
            SafeTensors(Path.Combine(folder, "model.safetensors"), tensors, half: false);
            return folder;
        }
        var map = new JsonObject();
        foreach (var part in tensors.Chunk((tensors.Count + shards - 1) / shards).Select((items, i) => (Items: items, File: $"model-{i + 1}.safetensors")))
        {
            SafeTensors(Path.Combine(folder, part.File), part.Items.ToDictionary(), half: true);
            foreach (var (name, _) in part.Items) map[name] = part.File;
        }
        Write(folder, "model.safetensors.index.json", new JsonObject { ["weight_map"] = map });
        return folder;
    }

    private static string Clip(string folder)
    {
        const int width = 16, inner = 24, layers = 2, patch = 8, size = 32;
        Write(folder, "config.json", new JsonObject
        {
            ["model_type"] = "clip",
            ["vision_config"] = new JsonObject { ["hidden_size"] = width, ["num_hidden_layers"] = layers, ["num_attention_heads"] = 2, ["intermediate_size"] = inner, ["patch_size"] = patch, ["image_size"] = size },
        });
        var tensors = new Dictionary<string, long[]>
        {
            ["logit_scale"] = [],
            ["text_model.embeddings.token_embedding.weight"] = [5, 4],
            ["visual_projection.weight"] = [12, width],
            ["vision_model.embeddings.class_embedding"] = [width],
            ["vision_model.embeddings.patch_embedding.weight"] = [width, 3, patch, patch],
            ["vision_model.embeddings.position_embedding.weight"] = [size / patch * size / patch + 1, width],
        };
        foreach (var norm in (string[])["pre_layrnorm", "post_layernorm"]) Map($"vision_model.{norm}", [width]);
        for (var layer = 0; layer < layers; layer++) Block($"vision_model.encoder.layers.{layer}", width, inner, Map);
        SafeTensors(Path.Combine(folder, "model.safetensors"), tensors, half: false);
        return folder;

        void Map(string name, long[] shape) => (tensors[$"{name}.weight"], tensors[$"{name}.bias"]) = (shape, [shape[0]]);
    }

    private static void Block(string prefix, long width, long inner, Action<string, long[]> map)
    {
        foreach (var norm in (string[])["layer_norm1", "layer_norm2"]) map($"{prefix}.{norm}", [width]);
        foreach (var name in (string[])["q_proj", "k_proj", "v_proj", "out_proj"]) map($"{prefix}.self_attn.{name}", [width, width]);
        map($"{prefix}.mlp.fc1", [inner, width]);
        map($"{prefix}.mlp.fc2", [width, inner]);
    }

    private static void Write(string folder, string name, JsonObject json) => File.WriteAllText(Path.Combine(folder, name), json.ToJsonString());

    /// <summary>Random numbers in fp32, or in fp16.</summary>
    private static void SafeTensors(string path, Dictionary<string, long[]> tensors, bool half)
    {
        var (header, data, random) = (new JsonObject(), new MemoryStream(), new Random(3));
        foreach (var (name, shape) in tensors)
        {
            var begin = data.Length;
            for (var i = shape.Aggregate(1L, (product, size) => product * size); i > 0; i--)
            {
                var number = name.Contains("norm", StringComparison.Ordinal) ? 1 + 0.1f * random.NextSingle() : random.NextSingle() * 0.4f - 0.2f;
                data.Write(half ? BitConverter.GetBytes((Half)number) : BitConverter.GetBytes(number));
            }
            header[name] = new JsonObject { ["dtype"] = half ? "F16" : "F32", ["shape"] = new JsonArray([.. shape.Select(size => (JsonNode)size)]), ["data_offsets"] = new JsonArray(begin, data.Length) };
        }
        var json = Encoding.UTF8.GetBytes(header.ToJsonString());
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)json.Length), .. json, .. data.ToArray()]);
    }

    /// <summary>The bytes of each tensor.</summary>
    private static Dictionary<string, string> Tensors(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var start = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return JsonNode.Parse(Encoding.UTF8.GetString(bytes, 8, start - 8))!.AsObject().Where(entry => entry.Key != "__metadata__").ToDictionary(
            entry => entry.Key, entry => Convert.ToHexString(bytes, start + (int)entry.Value!["data_offsets"]![0]!, (int)entry.Value["data_offsets"]![1]! - (int)entry.Value["data_offsets"]![0]!));
    }
}
