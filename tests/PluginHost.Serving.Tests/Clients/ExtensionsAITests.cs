using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI;

namespace PluginHost.Serving.Tests.Clients;

/// <summary>Microsoft.Extensions.AI over OpenAI's client: what goes in as its types comes out as its types.</summary>
public sealed class ExtensionsAITests : IAsyncLifetime
{
    private TestServer server = null!;
    private OpenAIClient client = null!;

    public async Task InitializeAsync()
    {
        server = await TestServer.StartAsync();
        client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "v1") });
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    [Fact]
    public async Task Chat_PictureAndOptions_ReachTheModel()
    {
        using var chat = client.GetChatClient("echo").AsIChatClient();
        var options = new ChatOptions { MaxOutputTokens = 50, Temperature = 0.25f, TopP = 0.5f, Seed = 9, StopSequences = ["\n\n"], ResponseFormat = ChatResponseFormat.Json };

        var answer = await chat.GetResponseAsync([new ChatMessage(ChatRole.User, [new TextContent("what?"), new DataContent(new byte[6], "image/png")])], options);

        Assert.Equal(("what? [image/png 6]", ChatFinishReason.Stop), (answer.Text, answer.FinishReason));
        var asked = Assert.Single(server.Model.Asked)!;
        Assert.Equal((50, 0.25f, 0.5f, 9L), (asked.MaxOutputTokens, asked.Temperature, asked.TopP, asked.Seed));
        Assert.Equal("\n\n", Assert.Single(asked.StopSequences!));
        Assert.IsType<ChatResponseFormatJson>(asked.ResponseFormat);
    }

    [Fact]
    public async Task Chat_StreamedTools_ComeAsCalls()
    {
        using var chat = client.GetChatClient("echo").AsIChatClient();
        var tool = AIFunctionFactory.Create((string city) => "sunny", "weather");

        var answer = await chat.GetStreamingResponseAsync("how is it?", new ChatOptions { Tools = [tool] }).ToChatResponseAsync();

        var call = Assert.Single(answer.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>());
        Assert.Equal(("weather", "Bern", ChatFinishReason.ToolCalls), (call.Name, call.Arguments!["city"]!.ToString(), answer.FinishReason));
        Assert.Equal("weather", Assert.Single(server.Model.Asked.Single()!.Tools!).Name);
    }

    [Fact]
    public async Task Embeddings_Texts_AreVectors()
    {
        using var embeddings = client.GetEmbeddingClient("echo").AsIEmbeddingGenerator();

        var vectors = await embeddings.GenerateAsync(["a", "abc"]);

        Assert.Equal([1f, 3f], vectors.Select(vector => vector.Vector.Span[0]));
    }
}
