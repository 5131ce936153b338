using System.Text;
using CsCheck;
using PluginHost.Sdk;
using static TorchSharp.torch;

namespace PluginHost.Artifacts.Tests;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("safetensors").FullName;

    private string File(string name) => Path.Combine(folder, name);

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Read_WhatWriteWrote_IsTheSame()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["b"] = arange(6, dtype: float32).view(2, 3),
            ["a"] = tensor(new long[] { 1, -2 }),
            ["scalar"] = tensor(3.5),
            ["empty"] = zeros(0, 4),
            ["mask"] = tensor(new[] { true, false }),
            ["strided"] = arange(6, dtype: float32).view(2, 3).t(),
        };
        SafeTensors.Write(File("x.safetensors"), tensors, new Dictionary<string, string> { ["step"] = "7" });

        var (read, metadata) = SafeTensors.Read(File("x.safetensors"));

        Assert.Equal("7", metadata["step"]);
        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        foreach (var (name, value) in tensors)
        {
            Assert.Equal(value.dtype, read[name].dtype);
            Assert.Equal(value.shape, read[name].shape);
            Assert.True(value.equal(read[name]).all().item<bool>(), name);
        }
    }

    [Theory]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "needs 8 bytes and has 4")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", 6, "a gap or an overlap")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "header")]
    [InlineData("{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown type F99")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,4],\"data_offsets\":[0,4]}}", 4, "more elements than can be counted")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9, "its tensors end at 4")]
    [InlineData("not json", 0, "header")]
    public void Read_UnsoundFile_SaysWhatIsWrong(string header, int data, string expected)
    {
        var json = Encoding.UTF8.GetBytes(header);
        System.IO.File.WriteAllBytes(File("bad"), [.. BitConverter.GetBytes((long)json.Length), .. json, .. new byte[data]]);
        var error = Assert.Throws<UserErrorException>(() => SafeTensors.Read(File("bad")));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Read_HeaderLongerThanTheFile_AllocatesNothing()
    {
        System.IO.File.WriteAllBytes(File("bad"), [.. BitConverter.GetBytes(long.MaxValue), 1, 2, 3]);
        Assert.Contains("header claims", Assert.Throws<UserErrorException>(() => SafeTensors.Read(File("bad"))).Message);
    }

    [Fact]
    public void Read_AnyBytes_IsAUserErrorOrTensors() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            var path = File(Guid.NewGuid().ToString("N"));
            // A plausible length, so that the header is reached.
            if (bytes.Length > 8) BitConverter.GetBytes((long)(bytes.Length - 8)).CopyTo(bytes, 0);
            System.IO.File.WriteAllBytes(path, bytes);
            try
            {
                SafeTensors.Read(path);
            }
            catch (UserErrorException)
            {
            }
        }, iter: 300);
}
