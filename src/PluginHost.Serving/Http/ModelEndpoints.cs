using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PluginHost.Serving.Models;

namespace PluginHost.Serving.Http;

/// <summary><c>/v1/models</c>.</summary>
internal sealed class ModelEndpoints(ModelDirectory models)
{
    public Task ListAsync(HttpContext context) => ApiJson.WriteAsync(context, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("object", "list");
        writer.WriteStartArray("data");
        foreach (var model in models.All) Write(writer, model);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    public Task ShowAsync(HttpContext context) => ApiJson.WriteAsync(context, writer => Write(writer, Named(context)));

    public async Task LoadAsync(HttpContext context)
    {
        await Named(context).LoadAsync(context.RequestAborted);
        await ShowAsync(context);
    }

    public async Task UnloadAsync(HttpContext context)
    {
        await Named(context).UnloadAsync(context.RequestAborted);
        await ShowAsync(context);
    }

    private IServedModel Named(HttpContext context) => models.Find((string)context.Request.RouteValues["id"]!);

    private static void Write(Utf8JsonWriter writer, IServedModel model)
    {
        writer.WriteStartObject();
        writer.WriteString("id", model.Id);
        writer.WriteString("object", "model");
        writer.WriteNumber("created", model.Created.ToUnixTimeSeconds());
        writer.WriteString("owned_by", "pluginhost");
        writer.WriteString("state", NameOf(model.State));
        if (model.Failure is { } failure) writer.WriteString("failure", failure);
        if (model.ContextLength is { } length) writer.WriteNumber("max_model_len", length);
        writer.WriteStartArray("capabilities");
        if (model.Chat is not null) writer.WriteStringValue("chat");
        if (model.Embeddings is not null) writer.WriteStringValue("embeddings");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>How a state is written.</summary>
    public static string NameOf(ModelState state) => state switch
    {
        ModelState.Ready => "ready",
        ModelState.Loading => "loading",
        ModelState.Failed => "failed",
        _ => "unloaded",
    };
}
