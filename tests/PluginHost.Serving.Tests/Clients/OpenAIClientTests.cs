#pragma warning disable OPENAI001 // sounds, which its authors may still change
using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;

namespace PluginHost.Serving.Tests.Clients;

/// <summary>OpenAI's own client for .NET, as it is published.</summary>
public sealed class OpenAIClientTests : IAsyncLifetime
{
    private TestServer server = null!;
    private OpenAIClient client = null!;
    private string key = "";

    private ChatClient Chat => client.GetChatClient("echo");

    public async Task InitializeAsync()
    {
        server = await TestServer.StartAsync(keys: keys => key = keys.Create("someone", admin: false));
        client = Connect(key);
    }

    public async Task DisposeAsync() => await server.DisposeAsync();

    private OpenAIClient Connect(string secret) => new(new ApiKeyCredential(secret), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "v1"), RetryPolicy = new ClientRetryPolicy(0) });

    [Fact]
    public async Task Chat_Question_IsAnsweredWithUsage()
    {
        ChatCompletion answer = await Chat.CompleteChatAsync([new SystemChatMessage("be kind"), new UserChatMessage("hello")], new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 100, EndUserId = "me" });

        Assert.Equal(("hello", ChatFinishReason.Stop, 12), (answer.Content[0].Text, answer.FinishReason, answer.Usage.TotalTokenCount));
    }

    [Fact]
    public async Task Chat_Stream_ComesInPiecesWithUsage()
    {
        var (pieces, reason, tokens) = (new List<string>(), (ChatFinishReason?)null, 0);
        await foreach (var update in Chat.CompleteChatStreamingAsync([new UserChatMessage("hello")]))
        {
            pieces.AddRange(update.ContentUpdate.Select(part => part.Text).Where(text => text.Length > 0));
            reason ??= update.FinishReason;
            tokens = update.Usage?.TotalTokenCount ?? tokens;
        }

        Assert.Equal(["h", "e", "l", "l", "o"], pieces);
        Assert.Equal((ChatFinishReason.Stop, 12), (reason, tokens));
    }

    [Fact]
    public async Task Chat_PictureAndSound_ReachTheModel()
    {
        ChatCompletion answer = await Chat.CompleteChatAsync([new UserChatMessage(
            ChatMessageContentPart.CreateTextPart("what?"),
            ChatMessageContentPart.CreateImagePart(BinaryData.FromBytes(new byte[7]), "image/png"),
            ChatMessageContentPart.CreateInputAudioPart(BinaryData.FromBytes(new byte[9]), ChatInputAudioFormat.Wav))]);

        Assert.Equal("what? [image/png 7] [audio/wav 9]", answer.Content[0].Text);
    }

    [Fact]
    public async Task Chat_Tools_AreCalledAndTheirResultsRead()
    {
        var tool = ChatTool.CreateFunctionTool("weather", "The weather in a city.", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"""));
        ChatCompletion called = await Chat.CompleteChatAsync([new UserChatMessage("how is it in Bern?")], new ChatCompletionOptions { Tools = { tool }, ToolChoice = ChatToolChoice.CreateRequiredChoice() });

        Assert.Equal(ChatFinishReason.ToolCalls, called.FinishReason);
        var call = Assert.Single(called.ToolCalls);
        Assert.Equal(("weather", "Bern"), (call.FunctionName, (string)JsonNode.Parse(call.FunctionArguments)!["city"]!));

        ChatCompletion answer = await Chat.CompleteChatAsync([new UserChatMessage("how is it in Bern?"), new AssistantChatMessage(called), new ToolChatMessage(call.Id, "sunny"), new UserChatMessage("thanks")]);
        Assert.Equal("thanks", answer.Content[0].Text);
    }

    [Fact]
    public async Task Chat_StreamedTools_ComeAsOneCall()
    {
        var tool = ChatTool.CreateFunctionTool("weather");
        var (names, arguments, reason) = (new List<string>(), "", (ChatFinishReason?)null);
        await foreach (var update in Chat.CompleteChatStreamingAsync([new UserChatMessage("?")], new ChatCompletionOptions { Tools = { tool } }))
        {
            names.AddRange(update.ToolCallUpdates.Select(call => call.FunctionName).OfType<string>());
            arguments += string.Concat(update.ToolCallUpdates.Select(call => call.FunctionArgumentsUpdate));
            reason ??= update.FinishReason;
        }

        Assert.Equal(["weather"], names);
        Assert.Equal("Bern", (string)JsonNode.Parse(arguments)!["city"]!);
        Assert.Equal(ChatFinishReason.ToolCalls, reason);
    }

    [Fact]
    public async Task Chat_LogProbabilities_AreRead()
    {
        ChatCompletion answer = await Chat.CompleteChatAsync([new UserChatMessage("ab")], new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 1 });

        Assert.Equal(["a", "b"], answer.ContentTokenLogProbabilities.Select(token => token.Token));
        Assert.All(answer.ContentTokenLogProbabilities, token => Assert.Equal(-0.5f, token.LogProbability));
    }

    [Fact]
    public async Task Embeddings_Texts_AreVectorsInTheirOrder()
    {
        OpenAIEmbeddingCollection vectors = await client.GetEmbeddingClient("echo").GenerateEmbeddingsAsync(["a", "abc"]);

        Assert.Equal([1f, 3f], vectors.Select(vector => vector.ToFloats().Span[0]));
        Assert.Equal(4, vectors.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task Models_List_HasTheModel()
    {
        var models = await client.GetOpenAIModelClient().GetModelsAsync();

        Assert.Equal("echo", Assert.Single(models.Value).Id);
    }

    [Fact]
    public async Task Chat_Refusals_HaveStatusAndMessage()
    {
        var busy = await Assert.ThrowsAsync<ClientResultException>(() => Chat.CompleteChatAsync([new UserChatMessage("!busy")]));
        var foreign = await Assert.ThrowsAsync<ClientResultException>(() => Connect("ph-wrong").GetChatClient("echo").CompleteChatAsync([new UserChatMessage("a")]));
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => client.GetChatClient("ecko").CompleteChatAsync([new UserChatMessage("a")]));

        Assert.Equal((429, 401, 404), (busy.Status, foreign.Status, unknown.Status));
        Assert.Contains("did you mean 'echo'?", unknown.Message, StringComparison.Ordinal);
    }
}
