using Microsoft.Extensions.AI;
using PluginHost.Runs.Chat;
using PluginHost.Sdk;

namespace PluginHost.Runs.Tests.Chat;

public sealed class ShownMediaTests
{
    private static readonly string[] ImageAndAudio = ["image", "audio"];

    private static ChatMessage Message(params AIContent[] contents) => new(ChatRole.User, contents);

    private static DataContent Picture(byte value = 1) => new(new byte[] { value, 2, 3 }, "image/png");

    [Fact]
    public void Of_Media_LeaveTheirPlacesInOrder()
    {
        var shown = ShownMedia.Of([Message(new TextContent("a"), Picture(), new TextContent("b"), new DataContent(new byte[] { 1 }, "audio/wav"))], ImageAndAudio, "m");

        Assert.Equal(["a", "image/*", "b", "audio/*"], shown.Messages[0].Contents.Select(content => content is UriContent place ? place.MediaType : ((TextContent)content).Text));
    }

    [Fact]
    public void Key_DependsOnTheBytesAlone()
    {
        string Key(params AIContent[] contents) => ShownMedia.Of([Message(contents)], ImageAndAudio, "m").Key;

        Assert.Equal(Key(Picture(), new TextContent("a")), Key(new TextContent("b"), Picture()));
        Assert.NotEqual(Key(Picture(1)), Key(Picture(2)));
        Assert.Equal("", Key(new TextContent("a")));
    }

    [Fact]
    public void Of_MediaThatTheModelDoesNotRead_AreAllNamed()
    {
        var message = Message(Picture(), Picture(2), new DataContent(new byte[] { 1 }, "video/mp4"), new DataContent(new byte[] { 1 }, "text/plain"));

        var error = Assert.Throws<UserErrorException>(() => ShownMedia.Of([message], ImageAndAudio, "m")).Message;

        Assert.Equal("the model 'm' reads text and one image, one audio: there is more than one image; 'video/mp4' is none of these; 'text/plain' is none of these", error);
        Assert.Contains("reads nothing but text", Assert.Throws<UserErrorException>(() => ShownMedia.Of([Message(Picture())], [], "m")).Message, StringComparison.Ordinal);
    }
}
