using System.Globalization;
using Microsoft.AspNetCore.Http;
using PluginHost.Config;
using PluginHost.Serving.Http;

namespace PluginHost.Serving.Documents;

/// <summary>Reads <c>limit</c>, <c>order</c>, <c>after</c> and <c>before</c> of a list's address.</summary>
internal static class ListQuery
{
    /// <param name="context">The request.</param>
    /// <param name="missing">The limit where the caller gives none.</param>
    /// <param name="most">The greatest limit.</param>
    /// <param name="number">The number of the item with an id; null: there is none.</param>
    /// <exception cref="ApiException">One of them is wrong.</exception>
    public static ListPage Read(HttpContext context, int missing, int most, Func<string, long?> number)
    {
        var (limit, order) = ((string?)context.Request.Query["limit"], (string?)context.Request.Query["order"]);
        var count = missing;
        if (limit is not null && (!int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 1 || count > most))
            throw new ApiException(ApiError.Invalid($"'limit' is a number from 1 to {most}", "limit"));
        if (order is not (null or "asc" or "desc")) throw new ApiException(ApiError.Invalid($"'{order}' is no order{NearestName.Suggestion(order, ["asc", "desc"])}; orders are asc and desc", "order"));
        return new ListPage(count, order == "asc", Cursor("after"), Cursor("before"));

        long? Cursor(string name) => (string?)context.Request.Query[name] is not { Length: > 0 } id ? null
            : number(id) ?? throw new ApiException(ApiError.Invalid($"'{name}' is the id of an item of the list; there is no '{id}'", name));
    }
}
