using Microsoft.AspNetCore.Http;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Http;

/// <summary><c>/health</c>: <c>live</c> while the process answers, <c>ready</c> while it takes requests.</summary>
internal sealed class HealthEndpoints(ModelDirectory models, ServingState state)
{
    public Task LiveAsync(HttpContext context) => ApiJson.WriteAsync(context, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("status", "live");
        writer.WriteEndObject();
    });

    public Task ReadyAsync(HttpContext context)
    {
        var loading = models.All.Any(model => model.State == ModelState.Loading);
        var ready = !state.Draining && !loading && models.All.Any(model => model.State == ModelState.Ready);
        if (!ready) context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        return ApiJson.WriteAsync(context, writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("status", ready ? "ready" : state.Draining ? "draining" : loading ? "loading" : "no model is loaded");
            writer.WriteStartObject("models");
            foreach (var model in models.All) writer.WriteString(model.Id, ModelEndpoints.NameOf(model.State));
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }
}
