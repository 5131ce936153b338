using PluginHost.Config;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Models;

/// <summary>The models of a server by their ids.</summary>
public sealed class ModelDirectory(IReadOnlyList<IServedModel> models)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<IServedModel> All => models;

    /// <summary>A model, whether it answers or not.</summary>
    internal IServedModel Find(string id) => models.FirstOrDefault(model => model.Id == id)
        ?? throw new ApiException(ApiError.Missing($"there is no model '{id}'{NearestName.Suggestion(id, models.Select(model => model.Id))}", "model", "model_not_found"));

    /// <summary>A model whose insides this server can look at and change.</summary>
    /// <param name="id">Its id; null or empty: the only one.</param>
    internal T Controlled<T>(string? id)
        where T : class, IPluginControl
    {
        var here = models.OfType<T>().ToList();
        if (id is not { Length: > 0 })
            return here.Count == 1 ? here[0] : throw new ApiException(ApiError.Invalid($"name the 'model' that is meant: {string.Join(", ", here.Select(known => known.Id))}", "model"));
        return Find(id) as T ?? throw new ApiException(ApiError.Invalid($"the model '{id}' runs elsewhere and has neither plugins nor a graph here", "model"));
    }

    /// <summary>A model that answers.</summary>
    internal IServedModel Ready(string id)
    {
        var model = Find(id);
        return model.State switch
        {
            ModelState.Ready => model,
            ModelState.Loading => throw new ApiException(ApiError.Unavailable($"the model '{id}' is being loaded", "model_loading", 2)),
            ModelState.Failed => throw new ApiException(ApiError.Unavailable($"the model '{id}' could not be loaded: {model.Failure}", "model_failed", 60)),
            _ => throw new ApiException(ApiError.Unavailable($"the model '{id}' is not loaded; POST /v1/models/{id}/load does that", "model_not_loaded", 60)),
        };
    }
}
