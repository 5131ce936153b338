namespace PluginHost.Sdk;

/// <summary>
/// Kind <c>media</c>: bytes to pictures, sounds or videos. Which files a decoder takes is said by <see cref="AcceptsAttribute"/>.
/// Safe for concurrent calls.
/// </summary>
public interface IMediaDecoder
{
    /// <summary>
    /// Decodes a file to a <see cref="Picture"/> of the wanted size, a <see cref="Sound"/> of the wanted rate, or a <see cref="Clip"/> of the wanted
    /// size with a frame at every 1 / rate seconds.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="modality">What is wanted of it: <c>image</c>, <c>audio</c> or <c>video</c>.</param>
    /// <param name="format">The wanted form. Pictures and frames are fitted into the square and padded with white, keeping their aspect.</param>
    /// <param name="cancellation">Ends a long decoding.</param>
    /// <exception cref="BadSampleException">The file is missing, empty, truncated or not of a known format.</exception>
    MediaContent Decode(string path, string modality, MediaFormat format, CancellationToken cancellation);
}
