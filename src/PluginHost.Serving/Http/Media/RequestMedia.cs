using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Serving.Http.Media;

/// <summary>The media of a request: fetched where they are given by address, and looked at before anything decodes them.</summary>
internal sealed class RequestMedia(IMediaFetcher fetcher, MediaFetching rules)
{
    /// <summary>Most media that a request may name by address.</summary>
    public const int MostAddresses = 16;

    /// <summary>Puts media in the place of their addresses.</summary>
    /// <exception cref="ApiException">One may not be fetched, cannot be, or is too large; the first of them, with its place.</exception>
    public async Task FetchAsync(IReadOnlyList<ChatMessage> messages, CancellationToken cancellation)
    {
        var media = messages.SelectMany((message, i) => message.Contents.Select((content, j) => (message.Contents, Index: j, Place: $"messages[{i}].content[{j}]"))).ToList();
        await FetchAsync(media, cancellation);
    }

    /// <summary>As for messages, for a list of inputs.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="name">What the request calls the list.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">As for messages.</exception>
    public Task FetchAsync(IList<AIContent> inputs, string name, CancellationToken cancellation) =>
        FetchAsync([.. inputs.Select((_, i) => (inputs, i, $"{name}[{i}]"))], cancellation);

    private async Task FetchAsync(IReadOnlyList<(IList<AIContent> Contents, int Index, string Place)> media, CancellationToken cancellation)
    {
        var addresses = media.Count(item => item.Contents[item.Index] is UriContent);
        if (addresses > MostAddresses) throw new ApiException(ApiError.Invalid($"the request names {addresses} media by address; {MostAddresses} are the most, and more can be sent as data"));
        var fetched = 0L;
        foreach (var (contents, index, place) in media)
        {
            if (contents[index] is UriContent link)
            {
                var got = await FetchAsync(link.Uri, place, cancellation);
                fetched += got.Data.Length;
                if (fetched > rules.MaxBytes) throw new ApiException(ApiError.Invalid($"the media by address have more than {rules.MaxBytes >> 20} MB together, which is the most for a request (server.maxBodyMegabytes)", place));
                contents[index] = got;
            }
            if (contents[index] is DataContent data && PictureSize.Problem(data) is { } problem) throw new ApiException(ApiError.Invalid(problem, place));
        }
    }

    private async Task<DataContent> FetchAsync(Uri address, string place, CancellationToken cancellation)
    {
        try
        {
            return await fetcher.FetchAsync(address, cancellation);
        }
        catch (UserErrorException error)
        {
            throw new ApiException(ApiError.Invalid(error.Message, place));
        }
    }
}
