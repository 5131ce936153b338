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
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4, "the file was cut off")]
    [InlineData("{\"a\":{\"dtype\":\"BOOL\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "negative size")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[0,4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, "more elements than can be counted")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "the key 'more'")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no data_offsets")]
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

    /// <summary>Sound files with bytes changed, cut, doubled or put in: each is refused, or read to what its own header says.</summary>
    [Fact]
    public void Read_MutatedFiles_AreRefusedOrReadWithoutAllocatingMoreThanTheFile()
    {
        using (var scope = NewDisposeScope())
            SafeTensors.Write(File("sound"), new Dictionary<string, Tensor>
            {
                ["layers.0.weight"] = arange(24, dtype: float32).view(4, 6),
                ["layers.0.bias"] = ones(4, dtype: bfloat16),
                ["mask"] = tensor(new[] { true, false, true }),
                ["step"] = tensor(7L),
            }, new Dictionary<string, string> { ["format"] = "pt", ["note"] = "é" });
        var sound = System.IO.File.ReadAllBytes(File("sound"));
        var header = 8 + (int)BitConverter.ToInt64(sound);
        var random = new Random(5);
        var (refused, read) = (0, 0);
        for (var i = 0; i < 500; i++)
        {
            var path = File($"mutant{i % 2}");
            var bytes = Mutate(sound, header, i % 4, random);
            System.IO.File.WriteAllBytes(path, bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var (tensors, _) = SafeTensors.Read(path);
                Assert.InRange(tensors.Values.Sum(value => value.numel() * value.element_size()), 0, bytes.Length);
                foreach (var value in tensors.Values) value.Dispose();
                read++;
            }
            catch (UserErrorException error)
            {
                Assert.StartsWith($"{path}: not a sound safetensors file: ", error.Message);
                refused++;
            }
            // Names, records and messages of a header this small; a claim of gigabytes would show.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
        }
        Assert.InRange(refused, 200, 500);
        Assert.InRange(read, 20, 300);
    }

    private static byte[] Mutate(byte[] sound, int header, int kind, Random random)
    {
        var bytes = (byte[])sound.Clone();
        var (at, count) = (random.Next(header), random.Next(1, 16));
        switch (kind)
        {
            case 0: // bits anywhere, most of them in the header
                for (var i = 0; i < count; i++) bytes[random.Next(random.Next(2) == 0 ? header : bytes.Length)] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1: // digits of sizes and offsets
                for (var i = 8; i < header; i++)
                    if (char.IsAsciiDigit((char)bytes[i]) && random.Next(4) == 0) bytes[i] = (byte)('0' + random.Next(10));
                return bytes;
            case 2: // cut off, or cut out of the middle
                return random.Next(2) == 0 ? bytes[..random.Next(bytes.Length)] : [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + count)..]];
            default: // data changed, or a piece doubled
                if (random.Next(2) == 0) bytes[random.Next(header, bytes.Length)] = (byte)random.Next(256);
                else bytes = [.. bytes[..(at + count)], .. bytes[at..]];
                return bytes;
        }
    }

    [Fact]
    public void Load_Widened_GivesFp32OfHalfTypes()
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(File("half"), new Dictionary<string, Tensor> { ["b"] = tensor(new[] { 1.5f, -2f }).to(bfloat16), ["h"] = tensor(new[] { 0.25f }).to(float16), ["i"] = tensor(3L) }, new Dictionary<string, string>());
        using var file = SafeTensorsFile.Open(File("half"));
        Assert.Equal([1.5f, -2f], file.Load("b", widen: true).data<float>().ToArray());
        Assert.Equal([0.25f], file.Load("h", widen: true).data<float>().ToArray());
        Assert.Equal(bfloat16, file.Load("b").dtype);
        Assert.Equal(int64, file.Load("i", widen: true).dtype);
    }

    [Fact]
    public void Load_LargerThanAPortion_IsWhole()
    {
        using var scope = NewDisposeScope();
        var large = arange(5_000_000, dtype: float32);
        SafeTensors.Write(File("large"), new Dictionary<string, Tensor> { ["x"] = large }, new Dictionary<string, string>());
        using var file = SafeTensorsFile.Open(File("large"));
        Assert.True(large.equal(file.Load("x")).all().item<bool>());
    }
}
