// Whether somebody speaks: the Silero VAD (https://github.com/snakers4/silero-vad, versions 5 and 6), run by ONNX Runtime. It reads frames of 512
// samples at 16 kHz, each behind the 64 samples before it, and gives the probability of speech; its state [2, 1, 128] goes from frame to frame.
using Microsoft.ML.OnnxRuntime;
using PluginHost.Sdk;

namespace Filter.Media;

/// <summary>An open model; safe for concurrent use.</summary>
internal sealed class VoiceActivity : IDisposable
{
    /// <summary>Hertz of the sounds that the model reads.</summary>
    public const int Rate = 16_000;

    private const int Frame = 512;
    private const int Before = 64;
    private const string Install = "npm install @ricky0123/vad-web@0.0.31 (or set 'speechModel')";

    private static readonly long[] StateShape = [2, 1, 128];
    private static readonly string[] Inputs = ["input", "state", "sr"];
    private static readonly string[] Outputs = ["output", "stateN"];

    private readonly InferenceSession session;

    private VoiceActivity(InferenceSession session) => this.session = session;

    /// <exception cref="UserErrorException">It is missing, or no model of this kind.</exception>
    public static VoiceActivity Open(string path)
    {
        if (!File.Exists(path)) throw new UserErrorException($"filter.media: there is no speech model '{path}'; install it beside the project file with: {Install}");
        InferenceSession session;
        try
        {
            // The host decides about many samples at once: each on one thread.
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            session = new InferenceSession(File.ReadAllBytes(path), options);
        }
        catch (Exception error) when (error is OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"filter.media: '{path}' cannot be read as an ONNX model: {error.Message}; install it anew with: {Install}");
        }
        if (Inputs.All(session.InputMetadata.ContainsKey) && Outputs.All(session.OutputMetadata.ContainsKey)) return new VoiceActivity(session);
        var (inputs, outputs) = (string.Join(", ", session.InputMetadata.Keys), string.Join(", ", session.OutputMetadata.Keys));
        session.Dispose();
        throw new UserErrorException($"filter.media: '{path}' reads {inputs} and gives {outputs} where the Silero VAD of version 5 or 6 reads {string.Join(", ", Inputs)} and gives {string.Join(", ", Outputs)}; name one of these in 'speechModel'");
    }

    /// <summary>The share of frames in which somebody speaks, from 0 to 1; the last frame is filled up with silence.</summary>
    /// <param name="sound">At any rate; at another than the model's it is resampled.</param>
    /// <param name="threshold">Probability from which a frame counts as speech.</param>
    public double Share(Sound sound, double threshold)
    {
        var samples = Finite(sound.Rate > 0 ? sound.At(Rate).Samples : sound.Samples);
        var (frames, speech) = ((samples.Length + Frame - 1) / Frame, 0);
        if (frames == 0) return 0;
        var (window, state) = (new float[Before + Frame], new float[2 * 128]);
        using var options = new RunOptions();
        using var input = OrtValue.CreateTensorValueFromMemory(window, [1, window.Length]);
        using var memory = OrtValue.CreateTensorValueFromMemory(state, StateShape);
        using var rate = OrtValue.CreateTensorValueFromMemory(new long[] { Rate }, []);
        for (var frame = 0; frame < frames; frame++)
        {
            window.AsSpan(Frame).CopyTo(window); // the end of the frame before
            var next = samples.AsSpan(frame * Frame, Math.Min(Frame, samples.Length - frame * Frame));
            next.CopyTo(window.AsSpan(Before));
            window.AsSpan(Before + next.Length).Clear();
            using var results = session.Run(options, Inputs, [input, memory, rate], Outputs);
            if (results[0].GetTensorDataAsSpan<float>()[0] >= threshold) speech++;
            results[1].GetTensorDataAsSpan<float>().CopyTo(state);
        }
        return (double)speech / frames;
    }

    public void Dispose() => session.Dispose();

    // One number that is none would stay in the state for the rest of the sound.
    private static float[] Finite(float[] samples) => Array.TrueForAll(samples, float.IsFinite) ? samples : [.. samples.Select(sample => float.IsFinite(sample) ? sample : 0)];
}
