using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Http;

/// <summary><c>/admin</c>: plugins of served models, the host file read again, drain.</summary>
internal sealed class AdminEndpoints(ModelDirectory models, ServingState state, ServerReload reload, ServerConfig server)
{
    private static readonly string[] Commands = ["swap", "quarantine", "restore", "drain"];

    public async Task ListPluginsAsync(HttpContext context)
    {
        var model = models.Controlled<IPluginControl>(context.Request.Query["model"]);
        await SayAsync(context, await model.ControlAsync("list", null, null), (model as IGraphControl)?.Plugins);
    }

    /// <summary><c>POST /admin/plugins/{id}/{command}</c>, with <c>{"model": ..., "folder": ...}</c> or without a body.</summary>
    public async Task ChangePluginAsync(HttpContext context)
    {
        var command = (string)context.Request.RouteValues["command"]!;
        if (!Commands.Contains(command)) throw new ApiException(ApiError.Missing($"plugins have no command '{command}'{NearestName.Suggestion(command, Commands)}"));
        string? model = null, folder = null;
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true) // a body in chunks has no length
        {
            var errors = new List<ConfigError>();
            var reader = new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), "a change of a plugin", errors);
            (model, folder) = (reader.Text("model"), reader.Text("folder"));
            reader.End();
            if (errors.Count > 0) throw new ConfigException(errors);
        }
        await SayAsync(context, await models.Controlled<IPluginControl>(model).ControlAsync(command, (string)context.Request.RouteValues["id"]!, folder));
    }

    public Task ReloadAsync(HttpContext context) => SayAsync(context, (true, reload.Reload()));

    public Task DrainAsync(HttpContext context)
    {
        state.Drain();
        return SayAsync(context, (true, $"new requests are refused; {state.Open - 1} are still open"));
    }

    public Task ResumeAsync(HttpContext context)
    {
        state.Resume();
        return SayAsync(context, (true, "requests are taken again"));
    }

    private static Task SayAsync(HttpContext context, (bool Done, string Text) answer, IReadOnlyList<PluginState>? plugins = null)
    {
        if (!answer.Done) context.Response.StatusCode = StatusCodes.Status409Conflict;
        return ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteBoolean("done", answer.Done);
            writer.WriteString("text", answer.Text);
            if (plugins is not null)
            {
                writer.WritePropertyName("plugins");
                JsonSerializer.Serialize(writer, plugins, JsonSerializerOptions.Web);
            }
            writer.WriteEndObject();
        });
    }
}
