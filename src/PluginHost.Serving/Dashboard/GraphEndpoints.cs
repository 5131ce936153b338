using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PluginHost.Config;
using PluginHost.Config.Json;
using PluginHost.Serving.Http;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Dashboard;

/// <summary><c>/admin/graph</c>: the graph of a served model, and changes of its nodes.</summary>
internal sealed class GraphEndpoints(ModelDirectory models, ServerConfig server)
{
    /// <summary>Maps the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/admin/graph", (Delegate)ShowAsync).WithSummary("Nodes, ports, shapes and settings of a model's graph (admin)");
        routes.MapPost("/admin/graph/{node}", (Delegate)ChangeAsync).WithSummary("Changes a node's plugin or settings while the model serves, or says what would change (admin)");
    }

    private Task ShowAsync(HttpContext context)
    {
        var model = models.Controlled<IGraphControl>(context.Request.Query["model"]);
        var plan = model.Plan ?? throw new ApiException(ApiError.Unavailable($"the model '{model.Id}' is not loaded", "model_not_loaded", 5));
        return ApiJson.WriteAsync(context, writer => GraphJson.Write(writer, model.Id, plan, model.Plugins));
    }

    /// <summary><c>{"model": ..., "use": ..., "settings": {...}, "apply": false}</c>.</summary>
    private async Task ChangeAsync(HttpContext context)
    {
        var errors = new List<ConfigError>();
        var reader = new JsonObjectReader(await ApiJson.ReadAsync(context, server.MaxBodyBytes), "a change of a node", errors);
        var (model, use, settings) = (reader.Text("model"), reader.Text("use"), reader.Value("settings"));
        var apply = reader.Flag("apply", false);
        reader.End();
        if (settings is { Kind: not JsonKind.Object }) errors.Add(new ConfigError(settings.Location, "'settings' is an object"));
        if (use is null && settings is null) errors.Add(new ConfigError(null, "a change names 'use', 'settings' or both"));
        if (errors.Count > 0) throw new ConfigException(errors);
        var change = await models.Controlled<IGraphControl>(model).ChangeNodeAsync((string)context.Request.RouteValues["node"]!, use, settings?.ToJsonString(), apply);
        await ApiJson.WriteAsync(context, writer => GraphJson.Write(writer, change));
    }
}
