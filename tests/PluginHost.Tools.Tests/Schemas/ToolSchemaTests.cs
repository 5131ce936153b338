using System.Text.Json;
using PluginHost.Sdk;
using PluginHost.Tools.Schemas;

namespace PluginHost.Tools.Tests.Schemas;

public class ToolSchemaTests
{
    private static JsonElement Json(string text)
    {
        using var json = JsonDocument.Parse(text);
        return json.RootElement.Clone();
    }

    private static ToolSchema Schema(string text) => ToolSchema.Read(Json(text), []);

    private static string Refused(string schema) => Assert.Throws<UserErrorException>(() => Schema(schema)).Message;

    private static string Wrong(string schema, string arguments) => Assert.Throws<UserErrorException>(() => Schema(schema).Complete(Json(arguments))).Message;

    private static string Object(string properties) => $$"""{"type":"object","properties":{{properties}}}""";

    [Fact]
    public void Read_ShortForm_IsAClosedObjectOfItsParameters()
    {
        var schema = ToolSchema.Read(Json("""{"query":{"type":"string","description":"…"},"limit":{"type":"integer","default":5}}"""), ["query"]);
        Assert.Equal("""{"limit":5,"query":"cats"}""", Sorted(schema.Complete(Json("""{"query":"cats"}"""))));
        Assert.Equal("the arguments need 'query'", Assert.Throws<UserErrorException>(() => schema.Complete(Json("{}"))).Message);
        Assert.Equal("there is no argument 'limt'; did you mean 'limit'?", Assert.Throws<UserErrorException>(() => schema.Complete(Json("""{"query":"a","limt":2}"""))).Message);
    }

    [Fact]
    public void Read_ShortFormWithAParameterCalledType_IsTheShortForm()
    {
        var schema = ToolSchema.Read(Json("""{"type":{"type":"string"}}"""), ["type"]);
        Assert.Equal("""{"type":"a"}""", schema.Complete(Json("""{"type":"a"}""")).GetRawText());
    }

    [Fact]
    public void Read_RequiredThatIsNoParameter_NamesTheNearest() =>
        Assert.Equal("'required' names 'qery', which is no parameter; did you mean 'query'?", Assert.Throws<UserErrorException>(() => ToolSchema.Read(Json("""{"query":{"type":"string"}}"""), ["qery"])).Message);

    [Fact]
    public void Complete_Defaults_AreFilledAtEveryDepth()
    {
        var schema = Schema("""
            {"type":"object","properties":{
              "page":{"type":"object","default":{},"properties":{"size":{"type":"integer","default":10}}},
              "items":{"type":"array","items":{"$ref":"#/$defs/item"}}},
             "$defs":{"item":{"type":"object","properties":{"count":{"type":"integer","default":1}}}}}
            """);
        Assert.Equal("""{"items":[{"count":1},{"count":2}],"page":{"size":10}}""", Sorted(schema.Complete(Json("""{"items":[{},{"count":2}]}"""))));
    }

    [Theory]
    [InlineData("""{"a":{"type":"string"}}""", """{"a":1}""", "'a' is 1, not a text")]
    [InlineData("""{"a":{"type":"integer"}}""", """{"a":1.5}""", "'a' is 1.5, not a whole number")]
    [InlineData("""{"a":{"type":"integer"}}""", """{"a":1e400}""", "'a' is 1e400, not a whole number")]
    [InlineData("""{"a":{"type":["string","null"]}}""", """{"a":true}""", "'a' is true, not a text or null")]
    [InlineData("""{"a":{"minimum":2}}""", """{"a":1}""", "'a' is 1, and 2 or more is asked for")]
    [InlineData("""{"a":{"exclusiveMaximum":2}}""", """{"a":2}""", "'a' is 2, and less than 2 is asked for")]
    [InlineData("""{"a":{"multipleOf":0.1}}""", """{"a":0.25}""", "'a' is 0.25, no multiple of 0.1")]
    [InlineData("""{"a":{"enum":["x","y"]}}""", """{"a":"z"}""", "'a' is \"z\", none of \"x\", \"y\"")]
    [InlineData("""{"a":{"maxLength":2}}""", """{"a":"abc"}""", "'a' has 3 characters; 2 are the most")]
    [InlineData("""{"a":{"pattern":"^[a-z]+$"}}""", """{"a":"A"}""", "'a' does not match the pattern ^[a-z]+$")]
    [InlineData("""{"a":{"minItems":1}}""", """{"a":[]}""", "'a' has 0 items; 1 are the least")]
    [InlineData("""{"a":{"uniqueItems":true}}""", """{"a":[1,1]}""", "'a' has two items that are alike")]
    [InlineData("""{"a":{"items":{"type":"string"}}}""", """{"a":["x",1]}""", "'a[1]' is 1, not a text")]
    [InlineData("""{"a":{"required":["b"]}}""", """{"a":{}}""", "'a' needs 'b'")]
    [InlineData("""{"a":{"anyOf":[{"type":"string"},{"type":"null"}]}}""", """{"a":1}""", "'a' satisfies none of the schemas of 'anyOf'")]
    [InlineData("""{"a":{"oneOf":[{"minimum":1},{"maximum":3}]}}""", """{"a":2}""", "'a' satisfies more than one of the schemas of 'oneOf'")]
    [InlineData("""{"a":{"not":{"type":"string"}}}""", """{"a":"x"}""", "'a' is what 'not' excludes")]
    public void Complete_WrongArguments_AreNamedWithTheirRule(string properties, string arguments, string message) => Assert.Equal(message, Wrong(Object(properties), arguments));

    [Fact]
    public void Complete_SeveralMistakes_AreToldTogether() =>
        Assert.Equal("'a' is 1, not a text; 'b' is \"x\", not a number", Wrong(Object("""{"a":{"type":"string"},"b":{"type":"number"}}"""), """{"a":1,"b":"x"}"""));

    [Theory]
    [InlineData("""{"a":{"multipleOf":0.1}}""", """{"a":0.3}""")]
    [InlineData("""{"a":{"type":"integer"}}""", """{"a":3.0}""")]
    [InlineData("""{"a":{"maxLength":1}}""", """{"a":"😀"}""")]
    [InlineData("""{"a":{"type":"string","nullable":true}}""", """{"a":null}""")]
    [InlineData("""{"a":{"type":"string"}}""", """{"other":1}""")]
    public void Complete_WhatIsAllowed_Passes(string properties, string arguments) => Assert.True(JsonElement.DeepEquals(Json(arguments), Schema(Object(properties)).Complete(Json(arguments))));

    [Fact]
    public void Complete_ANameTwice_IsRefused() => Assert.Contains("twice", Wrong(Object("""{"a":{"type":"object"}}"""), """{"a":{"b":1,"b":2}}"""), StringComparison.Ordinal);

    [Fact]
    public void Read_HundredKilobytes_IsRefused() =>
        Assert.Equal("the parameters have 97 kB of schema; 64 kB are the most", Refused(Object($$$"""{"a":{"description":"{{{new string('x', 100_000)}}}"}}""")));

    [Fact]
    public void Read_ManyParts_IsRefused() =>
        Assert.Contains("more than 4000 parts", Refused(Object($$$"""{"a":{"anyOf":[{{{string.Join(',', Enumerable.Repeat("{}", 5000))}}}]}}""")), StringComparison.Ordinal);

    [Fact]
    public void Read_DeepNesting_IsRefused() => Assert.Contains("nested", Refused(string.Concat(Enumerable.Repeat("""{"type":"object","not":""", 40)) + "{}" + new string('}', 40)), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"type":"object","$ref":"#"}""")]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"$defs":{"x":{"anyOf":[{"$ref":"#/$defs/y"}]},"y":{"allOf":[{"$ref":"#/$defs/x"}]}}}""")]
    public void Read_AReferenceToItself_IsRefused(string schema) => Assert.Contains("themselves without end", Refused(schema), StringComparison.Ordinal);

    [Fact]
    public void Read_ATree_IsCheckedAsDeepAsTheArgumentsGo()
    {
        const string tree = """{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#"}}},"required":["name"],"additionalProperties":false}""";
        Assert.Equal("""{"name":"a","children":[{"name":"b"}]}""", Schema(tree).Complete(Json("""{"name":"a","children":[{"name":"b"}]}""")).GetRawText());
        Assert.Equal("'children[0]' needs 'name'", Wrong(tree, """{"name":"a","children":[{}]}"""));
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]}""", "contains itself")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","minLength":3,"maxLength":2}},"required":["a"]}""", "no text has 3 to 2 characters")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"integer","minimum":3,"maximum":2}},"required":["a"]}""", "no number is from 3 to 2")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string","enum":[1,2]}},"required":["a"]}""", "none of its values")]
    [InlineData("""{"type":"object","properties":{"a":false},"required":["a"]}""", "a is false")]
    [InlineData("""{"type":"object","required":["a"],"additionalProperties":false}""", "additionalProperties is false")]
    [InlineData("""{"type":"object","anyOf":[false]}""", "is false")]
    public void Read_Impossible_IsRefused(string schema, string why)
    {
        var message = Refused(schema);
        Assert.StartsWith("no value can satisfy the parameters", message, StringComparison.Ordinal);
        Assert.Contains(why, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"type":"strng"}}""", "parameters.properties.a.type is string, number")]
    [InlineData("""{"a":{"$ref":"https://elsewhere.example/schema"}}""", "which is elsewhere")]
    [InlineData("""{"a":{"$ref":"#/$defs/none"}}""", "and there is nothing")]
    [InlineData("""{"a":{"pattern":"("}}""", "is no regular expression")]
    [InlineData("""{"a":{"pattern":"(?=a)b"}}""", "linear time")]
    [InlineData("""{"a":{"pattern":"(a)\\1"}}""", "linear time")]
    [InlineData("""{"a":{"type":"integer","default":"x"}}""", "the default \"x\" is not allowed by its own schema")]
    [InlineData("""{"a":{"minLength":-1}}""", "is a whole number from 0")]
    public void Read_Damaged_NamesThePlace(string properties, string why) => Assert.Contains(why, Refused(Object(properties)), StringComparison.Ordinal);

    [Fact]
    public void Read_NoObject_IsRefused() => Assert.Contains("type 'object'", Refused("""{"type":"string"}"""), StringComparison.Ordinal);

    [Fact]
    public void Complete_ACatastrophicPattern_IsMatchedInLinearTime()
    {
        // With backtracking this takes 2^50 steps.
        var schema = Schema(Object("""{"a":{"type":"string","pattern":"^(a+)+$"}}"""));
        Assert.Contains("does not match", Assert.Throws<UserErrorException>(() => schema.Complete(Json($$"""{"a":"{{new string('a', 50)}}!"}"""))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Complete_BranchesWithinBranches_EndInAnError()
    {
        // Each level asks the next twice: 2^24 checks.
        var defs = string.Join(',', Enumerable.Range(0, 24).Select(i => $$$$"""  "l{{{{i}}}}":{"allOf":[{"not":{"not":{"$ref":"#/$defs/l{{{{i + 1}}}}"}}},{"not":{"not":{"$ref":"#/$defs/l{{{{i + 1}}}}"}}}]}"""));
        var schema = Schema($$$$"""{"type":"object","properties":{"a":{"$ref":"#/$defs/l0"}},"$defs":{ {{{{defs}}}},"l24":{"type":"string"}}}""");
        Assert.Contains("take too long", Assert.Throws<UserErrorException>(() => schema.Complete(Json("""{"a":"x"}"""))).Message, StringComparison.Ordinal);
    }

    private static string Sorted(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(',', value.EnumerateObject().OrderBy(item => item.Name, StringComparer.Ordinal).Select(item => $"\"{item.Name}\":{Sorted(item.Value)}")) + "}",
        JsonValueKind.Array => "[" + string.Join(',', value.EnumerateArray().Select(Sorted)) + "]",
        _ => value.GetRawText(),
    };
}
