using Microsoft.Extensions.AI;
using PluginHost.Config;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Tests;

public sealed class RemoteModelTests : IAsyncLifetime
{
    private TestServer far = null!;

    public async Task InitializeAsync() => far = await TestServer.StartAsync();

    public async Task DisposeAsync() => await far.DisposeAsync();

    private RemoteModel Remote(string model = "echo") => new(new RemoteModelConfig("near", new Uri(far.Address, "v1"), model, null));

    [Fact]
    public async Task Chat_ThroughIt_IsTheOtherServersAnswer()
    {
        var answer = await Remote().Chat.GetResponseAsync("a picture of héllo", new ChatOptions { MaxOutputTokens = 9 });
        var streamed = await Remote().Chat.GetStreamingResponseAsync("abc").ToChatResponseAsync();

        Assert.Equal(("a picture", ChatFinishReason.Length), (answer.Text, answer.FinishReason));
        Assert.Equal(("abc", ChatFinishReason.Stop), (streamed.Text, streamed.FinishReason));
    }

    [Fact]
    public async Task Chat_RefusedThere_IsRefusedHereInTheSameWay()
    {
        await Assert.ThrowsAsync<BusyException>(() => Remote().Chat.GetStreamingResponseAsync("!busy").ToChatResponseAsync());
        Assert.StartsWith("the model 'near' refuses: there is no model 'ecko'", (await Assert.ThrowsAsync<UserErrorException>(() => Remote("ecko").Chat.GetStreamingResponseAsync("a").ToChatResponseAsync())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_VariableThatIsNotSet_IsSaid() =>
        Assert.Contains("'NOT_SET_ANYWHERE', which is not set", Assert.Throws<UserErrorException>(() => new RemoteModel(new RemoteModelConfig("near", far.Address, "m", "NOT_SET_ANYWHERE"))).Message, StringComparison.Ordinal);
}
