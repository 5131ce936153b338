using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace PluginHost.Serving.Jobs;

/// <summary>Training jobs as a part of the server.</summary>
public static class JobServices
{
    /// <summary>Adds the jobs of a file and what trains them.</summary>
    public static IServiceCollection AddTrainingJobs(this IServiceCollection services, JobStore store, JobOptions options) => services
        .AddSingleton(store).AddSingleton(options).AddSingleton(TimeProvider.System).AddSingleton<JobEndpoints>()
        .AddSingleton<JobRunner>().AddHostedService(provider => provider.GetRequiredService<JobRunner>());

    /// <summary>Maps <c>/v1/fine_tuning/jobs</c>.</summary>
    public static void MapTrainingJobs(this IEndpointRouteBuilder routes) => routes.ServiceProvider.GetRequiredService<JobEndpoints>().Map(routes);
}
