using PluginHost.Config;
using PluginHost.Sdk;
using TorchSharp;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Published.Onnx;

/// <summary>
/// An ONNX model being put together, of operator set 17: operators in running order, each value under a name of its own. The numbers of fields are those of
/// onnx.proto.
/// </summary>
internal sealed class OnnxGraph(string name)
{
    /// <summary>The operator set: the first with LayerNormalization.</summary>
    public const int OperatorSet = 17;

    private const int FormatVersion = 8;
    private const int FloatType = 1, Int64Type = 7, BoolType = 9;

    private readonly List<Action<ProtobufWriter>> nodes = [];
    private readonly List<Action<ProtobufWriter>> weights = [];
    private readonly List<Action<ProtobufWriter>> inputs = [];
    private readonly List<Action<ProtobufWriter>> outputs = [];
    private readonly Dictionary<string, string> constants = [];
    private long bytes;
    private int count;

    /// <summary>Declares an input; a dimension is a size or the name of one that is free.</summary>
    public string Input(string input, ScalarType type, params object[] shape)
    {
        inputs.Add(message => Value(message, input, type, shape));
        return input;
    }

    /// <summary>Declares an output of fp32.</summary>
    public void Output(string output, string value, params object[] shape)
    {
        Operator("Identity", [value], output);
        outputs.Add(message => Value(message, output, ScalarType.Float32, shape));
    }

    /// <summary>Adds an operator with one output.</summary>
    /// <returns>The output's name.</returns>
    public string Op(string type, params ReadOnlySpan<string> operands) => Operator(type, [.. operands], null);

    /// <summary>Adds an operator with attributes: long, float or long[].</summary>
    public string Op(string type, string[] operands, params (string Name, object Value)[] attributes) => Operator(type, operands, null, attributes);

    /// <summary>A tensor that is part of the model.</summary>
    public string Weight(string weight, Tensor value)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var stored = value.detach().to(CPU).to(ScalarType.Float32).contiguous();
        var content = stored.numel() == 0 ? [] : stored.bytes.ToArray();
        var shape = stored.shape;
        bytes += content.Length;
        if (bytes > int.MaxValue) throw new UserErrorException($"'{name}' has more than 2 GB of weights, which is more than one ONNX file holds.");
        weights.Add(message => TensorProto(message, weight, FloatType, shape, content));
        return weight;
    }

    /// <summary>A number.</summary>
    public string Number(double value) => Constant($"number {value:R}", FloatType, [], BitConverter.GetBytes((float)value));

    /// <summary>Whole numbers, for shapes and indices.</summary>
    public string Integers(params ReadOnlySpan<long> values)
    {
        long[] all = [.. values];
        return Constant($"integers {string.Join(",", all)}", Int64Type, [all.Length], [.. all.SelectMany(BitConverter.GetBytes)]);
    }

    /// <summary>One whole number without a dimension.</summary>
    public string Index(long value) => Constant($"index {value}", Int64Type, [], BitConverter.GetBytes(value));

    /// <summary>Writes the file; it is whole or not there.</summary>
    public void Write(string path)
    {
        var model = new ProtobufWriter();
        model.Write(1, FormatVersion);
        model.Write(2, "PluginHost");
        model.Write(8, set =>
        {
            set.Write(1, "");
            set.Write(2, OperatorSet);
        });
        model.Write(7, graph =>
        {
            foreach (var node in nodes) graph.Write(1, node);
            graph.Write(2, name);
            foreach (var weight in weights) graph.Write(5, weight);
            foreach (var input in inputs) graph.Write(11, input);
            foreach (var output in outputs) graph.Write(12, output);
        });
        AtomicFile.Write(path, stream => stream.Write(model.Content.Span));
    }

    private string Operator(string type, string[] operands, string? output, params (string Name, object Value)[] attributes)
    {
        var result = output ?? $"{type}_{++count}";
        nodes.Add(message =>
        {
            foreach (var operand in operands) message.Write(1, operand);
            message.Write(2, result);
            message.Write(3, $"{result}_node");
            message.Write(4, type);
            foreach (var (attribute, value) in attributes) message.Write(5, inner => Attribute(inner, attribute, value));
        });
        return result;
    }

    private string Constant(string key, int type, long[] shape, byte[] content)
    {
        if (constants.TryGetValue(key, out var known)) return known;
        var constant = $"constant_{constants.Count}";
        weights.Add(message => TensorProto(message, constant, type, shape, content));
        return constants[key] = constant;
    }

    private static void Attribute(ProtobufWriter message, string name, object value)
    {
        const int type = 20, floatKind = 1, intKind = 2, intsKind = 7;
        message.Write(1, name);
        switch (value)
        {
            case float number:
                message.Write(2, number);
                message.Write(type, floatKind);
                break;
            case long number:
                message.Write(3, number);
                message.Write(type, intKind);
                break;
            default:
                foreach (var number in (long[])value) message.Write(8, number);
                message.Write(type, intsKind);
                break;
        }
    }

    private static void TensorProto(ProtobufWriter message, string name, int type, long[] shape, byte[] content)
    {
        foreach (var size in shape) message.Write(1, size);
        message.Write(2, type);
        message.Write(8, name);
        message.Write(9, content);
    }

    private static void Value(ProtobufWriter message, string name, ScalarType type, object[] shape)
    {
        message.Write(1, name);
        message.Write(2, value => value.Write(1, tensor =>
        {
            tensor.Write(1, type switch { ScalarType.Int64 => Int64Type, ScalarType.Bool => BoolType, _ => FloatType });
            tensor.Write(2, sizes =>
            {
                foreach (var size in shape)
                    sizes.Write(1, dimension =>
                    {
                        if (size is string free) dimension.Write(2, free);
                        else dimension.Write(1, Convert.ToInt64(size, System.Globalization.CultureInfo.InvariantCulture));
                    });
            });
        }));
    }
}
