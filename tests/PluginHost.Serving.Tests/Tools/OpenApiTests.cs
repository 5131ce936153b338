using System.Net;
using System.Text.Json.Nodes;

namespace PluginHost.Serving.Tests.Tools;

public sealed class OpenApiTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("tools").FullName;
    private ToolServer server = null!;

    public async Task InitializeAsync() => server = await ToolServer.StartAsync(Path.Combine(folder, "tools.json"));

    public async Task DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, true);
    }

    private const string Pets = """
        {"openapi":"3.0.3","info":{"title":"Pets","version":"1"},
         "paths":{
          "/pets/{id}":{
            "parameters":[{"$ref":"#/components/parameters/id"}],
            "get":{"operationId":"showPet","summary":"Shows a pet","parameters":[{"name":"fields","in":"query","schema":{"type":"array","items":{"type":"string"}}}]},
            "put":{"operationId":"changePet","requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Pet"}}}}}}},
         "components":{
          "parameters":{"id":{"name":"id","in":"path","required":true,"schema":{"type":"string"}}},
          "schemas":{"Pet":{"type":"object","properties":{"name":{"type":"string"},"friend":{"$ref":"#/components/schemas/Pet"}},"required":["name"]},"Unused":{"type":"string"}}}}
        """;

    private Task<(HttpStatusCode Status, JsonNode? Body)> RegisterAsync(string document, string more = "") =>
        server.SendAsync("POST", "/v1/tools", $$"""{"name":"pets","openapi":{{document}}{{more}}}""");

    private string Server => $",\"server\":\"{server.Origin.Url}\"";

    [Fact]
    public async Task Register_ADocument_ItsOperationsAreTools()
    {
        var registered = await RegisterAsync(Pets, Server);
        Assert.Equal(HttpStatusCode.Created, registered.Status);
        Assert.Equal([("pets__changePet", "waiting"), ("pets__showPet", "ready")], registered.Body!["data"]!.AsArray().Select(tool => ((string)tool!["name"]!, (string)tool["state"]!)));
        Assert.DoesNotContain("Unused", registered.Body!.ToJsonString(), StringComparison.Ordinal);

        Assert.Equal("pet a b%2Fc", (string?)(await server.CallAsync("pets__showPet", """{"id":"a b/c","fields":["x","y&z"]}""")).Body!["content"]);
        await server.SendAsync("POST", "/v1/tools/pets__changePet/approve");
        var wrong = await server.CallAsync("pets__changePet", """{"id":"1","body":{"name":"Rex","friend":{}}}""");
        Assert.Contains("'body.friend' needs 'name'", (string?)wrong.Body!["error"]!["message"], StringComparison.Ordinal);
        await server.CallAsync("pets__changePet", """{"id":"1","body":{"name":"Rex"}}""");
        Assert.Equal(["GET /pets/a%20b%2Fc?fields=x&fields=y%26z", """PUT /pets/1 {"name":"Rex"}"""], server.Origin.Asked);

        Assert.Equal(HttpStatusCode.Conflict, (await server.SendAsync("DELETE", "/v1/tools/pets__showPet")).Status);
        await server.SendAsync("DELETE", "/v1/tools/pets");
        Assert.Empty(await server.NamesAsync());
    }

    [Fact]
    public async Task Invoke_AStepOutOfThePath_IsRefused()
    {
        await RegisterAsync(Pets, Server);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.CallAsync("pets__showPet", """{"id":".."}""")).Status);
        Assert.Empty(server.Origin.Asked);
    }

    [Theory]
    [InlineData("[]", "an OpenAPI document")]
    [InlineData("""{"swagger":"2.0"}""", "no OpenAPI 3")]
    [InlineData("""{"openapi":"3.1.0","paths":{}}""", "give one in 'server'")]
    [InlineData("""{"openapi":"3.1.0","servers":[{"url":"https://a.example"}],"paths":{}}""", "no operations")]
    [InlineData("""{"openapi":"3.1.0","servers":[{"url":"https://a.example"}],"paths":{"/a":{"get":{"parameters":[{"$ref":"#/components/parameters/no"}]}}}}""", "names nothing")]
    public async Task Register_ADamagedDocument_IsRefused(string document, string why)
    {
        var refused = await RegisterAsync(document);
        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Contains(why, (string?)refused.Body!["error"]!["message"], StringComparison.Ordinal);
        Assert.Empty(await server.NamesAsync());
    }

    [Fact]
    public async Task Describe_TheRegistry_CanBeRegisteredElsewhere()
    {
        await server.AddAsync("tree", "/echo", """ "parameters":{"type":"object","properties":{"name":{"type":"string"},"child":{"$ref":"#"}},"required":["name"],"additionalProperties":false}""");
        var document = (await server.SendAsync("GET", "/v1/tools/openapi.json")).Body!;
        var reference = (string)document["paths"]!["/v1/tools/tree/invoke"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]!["properties"]!["arguments"]!["properties"]!["child"]!["$ref"]!;
        var target = document;
        foreach (var step in reference[2..].Split('/')) target = target![step.Replace("~1", "/", StringComparison.Ordinal)];
        Assert.Equal("name", (string?)target!["required"]![0]);
    }
}
