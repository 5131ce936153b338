using Microsoft.Extensions.AI;
using PluginHost.Sdk;

namespace PluginHost.Runs.Inference;

/// <summary>Queries and passages as vectors of length 1 in one space. Safe for concurrent use.</summary>
public interface IPassageEncoder : IQueryEncoder
{
    /// <summary>Width of the vectors.</summary>
    int Width { get; }

    /// <summary>Whether pictures have a place in the space.</summary>
    bool ReadsPictures { get; }

    /// <summary>Encodes queries; a text of nothing is zeros.</summary>
    /// <exception cref="UserErrorException">One of them has no place in the space.</exception>
    /// <exception cref="BadSampleException">A picture cannot be decoded.</exception>
    IReadOnlyList<float[]> Queries(IReadOnlyList<AIContent> contents);

    /// <summary>Encodes passages; a text of nothing is zeros.</summary>
    /// <exception cref="UserErrorException">One of them has no place in the space.</exception>
    /// <exception cref="BadSampleException">A picture cannot be decoded.</exception>
    IReadOnlyList<float[]> Passages(IReadOnlyList<AIContent> contents);
}
