using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace PluginHost.Sdk.Testing;

/// <summary>The suite of kind <c>tool</c>. It calls the functions as the host does: with arguments that their schemas allow, defaults filled in.</summary>
public abstract class ToolConformance : PluginConformance
{
    /// <inheritdoc/>
    public override string Kind => "tool";

    /// <summary>Calls that go well with the sample's settings: the function's name and its arguments as JSON. Each function is in one of them.</summary>
    protected abstract IReadOnlyList<(string Function, string Arguments)> Calls { get; }

    /// <summary>What is at every address: JSON by default.</summary>
    protected virtual string Answer(Uri address) => """{"results":[{"title":"A page","url":"https://pages.example/","content":"its text"}]}""";

    /// <inheritdoc/>
    protected override void UseOnce() => WithFunctions(functions =>
    {
        foreach (var (name, arguments) in Calls) Call(functions, name, arguments);
    });

    /// <summary>Functions have names that every model may say, say what they are for, and describe their arguments.</summary>
    [Fact]
    public void Open_Functions_AreNamedAndDescribed() => WithFunctions(functions =>
    {
        Assert.NotEmpty(functions);
        Assert.Equal(functions.Count, functions.Select(function => function.Name).Distinct().Count());
        foreach (var function in functions)
        {
            Assert.Matches("^[A-Za-z0-9_-]{1,40}$", function.Name);
            Assert.False(string.IsNullOrWhiteSpace(function.Description), $"{function.Name} has no description");
            Assert.Equal("object", function.JsonSchema.GetProperty("type").GetString());
            foreach (var argument in function.JsonSchema.GetProperty("properties").EnumerateObject())
                Assert.True(argument.Value.TryGetProperty("description", out _), $"argument '{argument.Name}' of {function.Name} has no description");
        }
    });

    /// <summary>A result is something that can be passed on: a text, a number, a truth value or JSON.</summary>
    [Fact]
    public void Invoke_EachFunction_GivesWhatCanBePassedOn() => WithFunctions(functions =>
    {
        Assert.Empty(functions.Select(function => function.Name).Except(Calls.Select(call => call.Function)));
        foreach (var (name, arguments) in Calls)
            Assert.True(Call(functions, name, arguments) is null or string or bool or int or long or double or decimal or JsonElement or JsonNode, $"{name} gave something else");
    });

    /// <summary>Calls from several threads go as well as one.</summary>
    [Fact]
    public void Invoke_FromSeveralThreads_GoesWell() => WithFunctions(functions =>
        Parallel.For(0, 8, i => Call(functions, Calls[i % Calls.Count].Function, Calls[i % Calls.Count].Arguments)));

    private object? Call(IReadOnlyList<ToolFunction> functions, string name, string arguments)
    {
        var function = Assert.Single(functions, function => function.Name == name);
        using var given = JsonDocument.Parse(arguments);
        var all = new AIFunctionArguments();
        foreach (var property in function.JsonSchema.GetProperty("properties").EnumerateObject())
            if (property.Value.TryGetProperty("default", out var standard)) all[property.Name] = standard.Clone();
        foreach (var argument in given.RootElement.EnumerateObject()) all[argument.Name] = argument.Value.Clone();
        return function.InvokeAsync(all).AsTask().GetAwaiter().GetResult();
    }

    private void WithFunctions(Action<IReadOnlyList<ToolFunction>> check)
    {
        using var http = new HttpClient(new Everywhere(Answer));
        using var lease = Plugin.Lease(Plugin.Uses[0]);
        check(lease.As<IToolPlugin>().Open(new ToolContext { Http = http, Logger = NullLogger.Instance, ContentFolder = Plugin.Description.Folder, Folder = Plugin.Description.Folder, Documents = new TwoPassages() }));
    }

    private sealed class TwoPassages : IPassageSearch
    {
        public IReadOnlyList<SourcePassage> Search(string? store, string query, int count) =>
            [.. Enumerable.Range(0, 2).Take(count).Select(number => new SourcePassage("a.md", new FoundChunk("file-a", number, $"about {query}", "Place", 1 - number)))];
    }

    private sealed class Everywhere(Func<Uri, string> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(answer(request.RequestUri!), Encoding.UTF8, "application/json") });
    }
}
