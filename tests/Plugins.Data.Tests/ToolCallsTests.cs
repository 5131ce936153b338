using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Constraint.ToolCalls;
using CsCheck;
using Json.Schema;
using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Runs.Decoding;
using PluginHost.Runs.Generation;
using PluginHost.Sdk;

namespace Plugins.Data.Tests;

public class ToolCallsTests
{
    private static readonly ITokenizer Bpe = new Tokenizer.ByteBpe.ByteBpeTokenizer(new(Vocabulary: 420, MinFrequency: 1)).Train(
        ["<tool_call>\n{\"name\": \"play\", \"arguments\": {\"song\": \"Zoë\", \"list\": [\"a\", \"b\"], \"at\": {\"x\": -1.5, \"y\": null}}}\n</tool_call>", "[[1, 2], [3]], \"a\": true}, {\"b\": false}"],
        Surroundings.Build);

    private static readonly IToolConstraint Calls = (IToolConstraint)new ToolCallsConstraint(new()).Create(new ConstraintContext(Bpe));

    private static AIFunctionDeclaration Tool(string name, string schema) => new DeclaredFunction(name, "", JsonElement.Parse(schema));

    private static string Properties(string properties, string more = "") => $$"""{"type":"object","properties":{{{properties}}}{{more}}}""";

    private static bool Accepts(IConstraint constraint, string text, out bool whole)
    {
        var state = constraint.Begin();
        whole = false;
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            var (token, mask) = (SpecialTokens.All.Count + value, new ulong[(Bpe.Vocabulary + 63) / 64]);
            state.Mask(mask);
            if ((mask[token / 64] >> token % 64 & 1) == 0) return false;
            state.Accept(token);
        }
        whole = state.MayEnd;
        return true;
    }

    private static bool Whole(IConstraint constraint, string text) => Accepts(constraint, text, out var whole) && whole;

    // Random logits in favour of what closes; null: it came to no end.
    private static string? Answer(IConstraint constraint, int seed, int most = 600)
    {
        var random = new Random(seed);
        var request = new DecodeRequest([1], new Sampling(most, 1, 1, seed)) { Constraint = constraint };
        var end = Bpe.Special(SpecialTokens.End);
        var (chooser, scratch) = (new TokenChooser(request, end), new ChoiceScratch(Bpe.Vocabulary));
        var (logits, tokens) = (new float[Bpe.Vocabulary], new List<int>());
        for (var closing = 0f; tokens.Count < most; closing += 0.03f)
        {
            for (var i = 0; i < logits.Length; i++) logits[i] = 4 * random.NextSingle();
            foreach (var letter in "\"}]") logits[SpecialTokens.All.Count + letter] += closing;
            logits[end] += closing;
            var (token, _) = chooser.Choose(logits, scratch);
            if (token == end) return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. tokens.SelectMany(id => Bpe.Bytes(id).ToArray())]);
            tokens.Add(token);
        }
        return null;
    }

    // A schema that the constraint understands, at random.
    private static JsonObject Schema(Random random, int depth)
    {
        switch (random.Next(depth > 0 ? 10 : 8))
        {
            case 0:
                var shortest = random.Next(4);
                return new JsonObject { ["type"] = "string", ["minLength"] = shortest, ["maxLength"] = shortest + random.Next(5) };
            case 1:
                return new JsonObject { ["type"] = "string" };
            case 2:
                var least = random.Next(-200, 200);
                return new JsonObject { ["type"] = "integer", ["minimum"] = least, ["maximum"] = least + random.Next(150) };
            case 3:
                return new JsonObject { ["type"] = "integer", ["exclusiveMinimum"] = random.Next(-50, 50) };
            case 4:
                return new JsonObject { ["type"] = "number", ["minimum"] = random.Next(-9, 1) - 0.5, ["exclusiveMaximum"] = random.Next(1, 30) };
            case 5:
                return new JsonObject { ["enum"] = new JsonArray("a", "ab", "\"é\\", 1, 12, null, true) };
            case 6:
                return new JsonObject { ["type"] = new JsonArray("boolean", "null", "number") };
            case 7:
                return new JsonObject { ["const"] = random.Next(2) == 0 ? "fix" : 7 };
            case 8:
                var few = random.Next(3);
                return new JsonObject { ["type"] = "array", ["items"] = Schema(random, depth - 1), ["minItems"] = few, ["maxItems"] = few + random.Next(3) };
            default:
                return Object(random, depth - 1);
        }
    }

    private static JsonObject Object(Random random, int depth)
    {
        var (properties, required) = (new JsonObject(), new JsonArray());
        for (var i = random.Next(5); i > 0; i--)
        {
            properties[$"p{i}"] = Schema(random, depth);
            if (random.Next(2) == 0) required.Add((JsonNode)$"p{i}");
        }
        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required, ["additionalProperties"] = false };
    }

    /// <summary>Whatever a random model samples: what comes out are calls of functions that were offered, with arguments that another's validator takes.</summary>
    [Fact]
    public void RequiredAnswer_OfRandomLogitsAndSchemas_IsValidCalls()
    {
        var (ended, calls) = (0, 0);
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var random = new Random(seed);
            AIFunctionDeclaration[] tools = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => Tool($"tool{i}", Object(random, 2).ToJsonString()))];
            if (Answer(Calls.Bind(tools, required: true), seed) is not { } text) return;
            Interlocked.Increment(ref ended);
            var contents = CallReader.ReadAll(text);
            Assert.NotEmpty(contents);
            foreach (var content in contents)
            {
                var call = Assert.IsType<FunctionCallContent>(content);
                var tool = Assert.Single(tools, tool => tool.Name == call.Name);
                var arguments = JsonSerializer.SerializeToNode(call.Arguments, AIJsonUtilities.DefaultOptions);
                Assert.True(JsonSchema.FromText(tool.JsonSchema.GetRawText()).Evaluate(InPlainLetters(arguments)).IsValid, $"{tool.JsonSchema} does not allow {arguments!.ToJsonString()}");
                Interlocked.Increment(ref calls);
            }
        }, iter: 300, threads: 1);
        Assert.True(ended > 150, $"only {ended} answers ended");
        Assert.True(calls >= ended);
    }

    // JSON Schema counts a text's code points (RFC 8259), JsonSchema.Net what one sees as a letter: a text in which the two differ stands for one of as many code points. No choice of a schema is such a text.
    private static JsonNode? InPlainLetters(JsonNode? node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, InPlainLetters(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(InPlainLetters)]),
        JsonValue value when value.TryGetValue<string>(out var text) && text.EnumerateRunes().Count() is var count && count != new StringInfo(text).LengthInTextElements => new string('x', count),
        _ => node?.DeepClone(),
    };

    [Theory]
    [InlineData("""{"a": "x", "b": 3}""", true)]
    [InlineData("""{"a": "x"}""", true)]
    [InlineData("""{"b": 3}""", false)]
    [InlineData("""{"b": 3, "a": "x"}""", false)]
    [InlineData("""{"a": "x", "c": 1}""", false)]
    [InlineData("""{"a": 1}""", false)]
    [InlineData("""{"a": "x", "b": 3.5}""", false)]
    public void Call_Arguments_KeepToTheSchemaInItsOrder(string arguments, bool allowed)
    {
        var bound = Calls.Bind([Tool("f", Properties("""
            "a":{"type":"string"},"b":{"type":"integer"}
            """, ""","required":["a"]"""))], required: false);

        Assert.Equal(allowed, Whole(bound, $"<tool_call>\n{{\"name\": \"f\", \"arguments\": {arguments}}}\n</tool_call>"));
    }

    [Fact]
    public void Call_WhatCallTextWrites_IsAllowed()
    {
        var bound = Calls.Bind([Tool("play", Properties("""
            "song":{"type":"string"},"list":{"type":"array","items":{"type":"number"}},"loud":{"type":"boolean"}
            """)), Tool("play2", "{}")], required: true);

        Assert.True(Whole(bound, CallText.Call("play", new Dictionary<string, object?> { ["song"] = "\"é\"\n汉", ["list"] = new[] { 1, -2.5, -0.25 }, ["loud"] = true }) + "\n" + CallText.Call("play2")));
    }

    [Fact]
    public void FreeAnswer_TextAndCalls_MayEndOutsideOfACallAlone()
    {
        var bound = Calls.Bind([Tool("now", "{}")], required: false);

        Assert.True(Whole(bound, "It is <tool_call or <<tool_cal"));
        Assert.True(Whole(bound, ""));
        Assert.True(Whole(bound, $"Wait. <{CallText.Call("now")} and {CallText.Call("now")} or"));
        Assert.True(Accepts(bound, "<tool_call>\n{\"name\": \"no", out var whole));
        Assert.False(whole);
        Assert.False(Accepts(bound, "<tool_call>\n{\"name\": \"then\"", out _));
    }

    [Fact]
    public void RequiredAnswer_BeginsWithACallAndHasNoTextBehindIt()
    {
        var bound = Calls.Bind([Tool("now", "{}")], required: true);

        Assert.False(bound.Begin().MayEnd);
        Assert.False(Accepts(bound, "It", out _));
        Assert.True(Whole(bound, CallText.Call("now")));
        Assert.False(Accepts(bound, CallText.Call("now") + " and", out _));
    }

    [Theory]
    [InlineData("""{"type":"integer","minimum":-20,"maximum":105}""", "-20 -9 0 7 99 105", "-21 -0 01 106 1050 -201")]
    [InlineData("""{"type":"integer","exclusiveMinimum":9,"exclusiveMaximum":21}""", "10 20", "9 21 1 2")]
    [InlineData("""{"type":"number","minimum":-1,"maximum":1.5}""", "-1 1 0 0.5 -0.25", "1.5 1.2 -1.5 2 -0")]
    [InlineData("""{"type":"string","minLength":1,"maxLength":2}""", "\"é\" \"汉字\" \"\\u00e9\\n\"", "\"\" \"abc\" \"\\ud83d\"")]
    [InlineData("""{"type":"array","items":{"type":"array","items":{"type":"null"},"maxItems":1},"minItems":1,"maxItems":2}""", "[[]] [[null],[null]]", "[] [[null,null]] [[],[],[]]")]
    [InlineData("""{"type":"integer","enum":[1,12,"x",null]}""", "1 12", "2 121 null \"x\"")]
    [InlineData("""{"type":["string","null"]}""", "null \"null\"", "1 nul")]
    public void Value_Bounds_AreHeld(string schema, string allowed, string refused)
    {
        var bound = Calls.Bind([Tool("f", Properties($"\"a\":{schema}", ""","required":["a"]"""))], required: true);
        bool Takes(string value) => Whole(bound, $"<tool_call>\n{{\"name\": \"f\", \"arguments\": {{\"a\": {value.Replace(",", ", ", StringComparison.Ordinal)}}}}}\n</tool_call>");

        Assert.All(allowed.Split(' '), value => Assert.True(Takes(value), value));
        Assert.All(refused.Split(' '), value => Assert.False(Takes(value), value));
    }

    [Theory]
    [InlineData("""{"type":"string","pattern":"a*"}""", "function 'f': 'parameters.properties.a' has 'pattern'")]
    [InlineData("""{"$ref":"#"}""", "'parameters.properties.a' has '$ref'")]
    [InlineData("""{"anyOf":[{"type":"string"}]}""", "has 'anyOf'")]
    [InlineData("""{"description":"any"}""", "has no 'type'; give it one of")]
    [InlineData("""{"type":"text"}""", "has the type \"text\"; types are")]
    [InlineData("""{"type":"array"}""", "has no 'items'")]
    [InlineData("""{"type":"array","items":{"type":"null"},"minItems":3,"maxItems":2}""", "has 'minItems' 3 above 'maxItems' 2")]
    [InlineData("""{"type":"string","minLength":3,"maxLength":2}""", "has 'minLength' 3 above 'maxLength' 2")]
    [InlineData("""{"type":"integer","minimum":3,"maximum":2}""", "has bounds between which")]
    [InlineData("""{"type":"integer","enum":["x"]}""", "has 'enum' without a value of its type")]
    [InlineData("""{"enum":[]}""", "has 'enum' without a value")]
    [InlineData("""{"type":"object","required":["x"]}""", "requires 'x', which is not among its 'properties'")]
    [InlineData("""{"type":"object","additionalProperties":{"type":"string"}}""", "has 'additionalProperties' with a schema")]
    [InlineData("true", "is no schema")]
    public void Bind_WhatIsNotUnderstood_IsRefusedByName(string schema, string expected) =>
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Calls.Bind([Tool("f", Properties($"\"a\":{schema}"))], required: false)).Message, StringComparison.Ordinal);

    [Fact]
    public void Bind_SchemaTooDeepTooLongOrWithoutEnd_IsRefusedAtOnce()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"type":"array","items":""", 12)) + """{"type":"null"}""" + new string('}', 12);
        var many = string.Join(',', Enumerable.Range(0, 1500).Select(i => $"\"p{i}\":{{\"type\":\"null\"}}"));
        var tools = Enumerable.Range(0, 100).Select(i => Tool($"f{i}", Properties($"\"a\":{{\"type\":\"string\",\"description\":\"{new string('x', 1000)}\"}}"))).ToList();

        Assert.Contains("deeper than 8", Assert.Throws<UserErrorException>(() => Calls.Bind([Tool("f", Properties($"\"a\":{deep}"))], false)).Message, StringComparison.Ordinal);
        Assert.Contains("places of a grammar", Assert.Throws<UserErrorException>(() => Calls.Bind([Tool("f", Properties(many))], false)).Message, StringComparison.Ordinal);
        Assert.Contains("65,536 are the most", Assert.Throws<UserErrorException>(() => Calls.Bind(tools, false)).Message, StringComparison.Ordinal);
        Assert.Contains("2 functions named 'f'", Assert.Throws<UserErrorException>(() => Calls.Bind([Tool("f", "{}"), Tool("f", "{}")], false)).Message, StringComparison.Ordinal);
    }
}
