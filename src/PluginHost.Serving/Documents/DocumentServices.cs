using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace PluginHost.Serving.Documents;

/// <summary>Documents as a part of the server: files, vector stores, rerank.</summary>
public static class DocumentServices
{
    /// <summary>Adds the documents of a folder, which stay the caller's to dispose.</summary>
    public static IServiceCollection AddDocuments(this IServiceCollection services, DocumentHost documents)
    {
        services.TryAddSingleton(TimeProvider.System);
        return services.AddSingleton(documents).AddSingleton<FileEndpoints>().AddSingleton<VectorStoreEndpoints>().AddSingleton<FileBatchEndpoints>().AddSingleton<SearchEndpoint>().AddSingleton<RerankEndpoint>()
            .AddSingleton<StoreIngestion>().AddHostedService(provider => provider.GetRequiredService<StoreIngestion>());
    }

    /// <summary>Maps <c>/v1/files</c>, <c>/v1/vector_stores</c> and <c>/v1/rerank</c>.</summary>
    public static void MapDocuments(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<FileEndpoints>().Map(routes);
        routes.ServiceProvider.GetRequiredService<VectorStoreEndpoints>().Map(routes);
        routes.ServiceProvider.GetRequiredService<FileBatchEndpoints>().Map(routes);
        routes.ServiceProvider.GetRequiredService<SearchEndpoint>().Map(routes);
        routes.ServiceProvider.GetRequiredService<RerankEndpoint>().Map(routes);
    }
}
