using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PluginHost.Artifacts;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Dashboard;

/// <summary><c>/admin/runs</c>: the runs of the artifacts folder, with their curves as they grow.</summary>
public sealed class RunEndpoints
{
    private const int MostRuns = 200;

    private readonly string artifacts;

    private RunEndpoints(string artifacts) => this.artifacts = artifacts;

    /// <summary>Maps the routes.</summary>
    /// <param name="routes">The server's.</param>
    /// <param name="artifacts">The folder of all runs.</param>
    public static void Map(IEndpointRouteBuilder routes, string artifacts) => new RunEndpoints(artifacts).Map(routes);

    private void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/admin/runs", (Delegate)ListAsync).WithSummary("The newest runs with their results (admin)");
        routes.MapGet("/admin/runs/{name}", (Delegate)ShowAsync).WithSummary("A run's record and curves (admin)");
    }

    private Task ListAsync(HttpContext context)
    {
        var newest = RunFolder.All(artifacts).OrderByDescending(run => Directory.GetCreationTimeUtc(run.Path)).ThenByDescending(run => run.Name, StringComparer.Ordinal).Take(MostRuns);
        return ApiJson.WriteAsync(context, writer => new JsonObject { ["data"] = new JsonArray([.. newest.Select(Summary)]) }.WriteTo(writer));
    }

    private Task ShowAsync(HttpContext context)
    {
        var name = (string)context.Request.RouteValues["name"]!;
        // Not RunFolder.Find: what stands in an address is a name, never a path.
        var run = RunFolder.All(artifacts).FirstOrDefault(run => run.Name == name) ?? throw new ApiException(ApiError.Missing($"there is no run '{name}'; GET /admin/runs lists what there is", "name"));
        var curves = new JsonObject();
        foreach (var (tag, points) in RunCurves.Read(run.Events))
            curves[tag] = new JsonArray([.. points.Where(point => float.IsFinite(point.Value)).Select(point => (JsonNode)new JsonArray(point.Step, point.Value))]);
        var shown = Summary(run);
        (shown["curves"], shown["project"]) = (curves, Read(run.Project));
        return ApiJson.WriteAsync(context, writer => shown.WriteTo(writer));
    }

    // A run that is not finished has no record of results yet.
    private static JsonObject Summary(RunFolder run)
    {
        var record = Read(run.Record);
        return new JsonObject
        {
            ["name"] = run.Name,
            ["project"] = Read(run.Project)?["name"]?.DeepClone(),
            ["status"] = record?["status"]?.DeepClone() ?? "training",
            ["started"] = record?["started"]?.DeepClone(),
            ["parameters"] = record?["parameters"]?.DeepClone(),
            ["peakMb"] = record?["peakMb"]?.DeepClone(),
            ["stages"] = record?["stages"]?.DeepClone(),
            ["evaluations"] = record?["evaluations"]?.DeepClone(),
        };
    }

    private static JsonObject? Read(string file)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllBytes(file)) as JsonObject;
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            return null; // half made, or damaged: the run is listed without it
        }
    }
}
