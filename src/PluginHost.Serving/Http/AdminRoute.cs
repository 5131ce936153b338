namespace PluginHost.Serving.Http;

/// <summary>Marks a route that takes a key that opens the admin routes.</summary>
internal sealed class AdminRoute
{
    public static AdminRoute Mark { get; } = new();
}
