using System.Text.RegularExpressions;
using PluginHost.Config.Json;

namespace PluginHost.Config;

/// <summary>Reads the host file's <c>install</c>.</summary>
internal static partial class InstallReader
{
    private const string DefaultStore = "{config}/store";
    private static readonly PackageFeed DefaultFeed = new("nuget.org", "https://api.nuget.org/v3/index.json");

    /// <param name="node">The value, or null: then the defaults hold.</param>
    /// <param name="folder">Makes a path absolute.</param>
    /// <param name="errors">Where errors go.</param>
    public static InstallConfig Read(JsonElementNode? node, Func<string, string> folder, List<ConfigError> errors)
    {
        if (node is null) return new InstallConfig(folder(DefaultStore), [DefaultFeed], [], SignaturePolicy.Any, []);
        var reader = new JsonObjectReader(node, "'install'", errors);
        var store = folder(reader.Text("store") ?? DefaultStore);
        PackageFeed[] feeds = [.. reader.Members("feeds").Select(member => Feed(member, folder, errors)).OfType<PackageFeed>()];
        if (node.Find("feeds") is null) feeds = [DefaultFeed];
        FeedPrefix[] prefixes = [.. reader.Members("prefixes").Select(member => Prefix(member, feeds, errors)).OfType<FeedPrefix>()];
        var policy = Policy(reader.Value("signatures"), errors);
        string[] certificates = [.. (reader.Items("certificates") ?? []).Select(item => Fingerprint(item, errors)).OfType<string>()];
        if (policy == SignaturePolicy.Signed && certificates.Length == 0)
            errors.Add(new ConfigError(node.Find("signatures")!.Location, "the policy 'signed' trusts the packages of the certificates in 'certificates', and there are none; add SHA-256 fingerprints"));
        reader.End();
        return new InstallConfig(store, feeds, prefixes, policy, certificates);
    }

    private static PackageFeed? Feed(JsonMember member, Func<string, string> folder, List<ConfigError> errors)
    {
        var address = member.Value.Kind == JsonKind.String ? member.Value.Text : "";
        if (address.Length > 0 && !address.Contains("://", StringComparison.Ordinal)) return new PackageFeed(member.Name, folder(address));
        if (Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http") return new PackageFeed(member.Name, address);
        errors.Add(new ConfigError(member.Value.Location, $"the feed '{member.Name}' is a folder or the https address of a NuGet v3 index, not {JsonObjectReader.Describe(member.Value)}"));
        return null;
    }

    private static FeedPrefix? Prefix(JsonMember member, PackageFeed[] feeds, List<ConfigError> errors)
    {
        if (!PrefixPattern().IsMatch(member.Name))
            errors.Add(new ConfigError(member.NameLocation, $"'{member.Name}' is no prefix; one is a package id, or its beginning and a star, such as Acme.*"));
        else if (member.Value.Kind != JsonKind.String || feeds.All(feed => feed.Name != member.Value.Text))
            errors.Add(new ConfigError(member.Value.Location, $"{JsonObjectReader.Describe(member.Value)} is no feed of 'feeds'{NearestName.Suggestion(member.Value.Text, feeds.Select(feed => feed.Name))}"));
        else
            return new FeedPrefix(member.Name, member.Value.Text);
        return null;
    }

    private static SignaturePolicy Policy(JsonElementNode? node, List<ConfigError> errors)
    {
        if (node is null) return SignaturePolicy.Any;
        var names = Enum.GetNames<SignaturePolicy>().Select(name => name.ToLowerInvariant()).ToArray();
        if (Array.IndexOf(names, node.Text) is var index and >= 0) return (SignaturePolicy)index;
        errors.Add(new ConfigError(node.Location, $"{JsonObjectReader.Describe(node)} is no signature policy{NearestName.Suggestion(node.Text, names)}"));
        return SignaturePolicy.Any;
    }

    private static string? Fingerprint(JsonElementNode node, List<ConfigError> errors)
    {
        var text = node.Text.Replace(":", "", StringComparison.Ordinal).ToUpperInvariant();
        if (node.Kind == JsonKind.String && Sha256().IsMatch(text)) return text;
        errors.Add(new ConfigError(node.Location, $"a certificate is named by its SHA-256 fingerprint, 64 hexadecimal digits, not by {JsonObjectReader.Describe(node)}"));
        return null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9_.-]*\*?\z|^\*\z")]
    private static partial Regex PrefixPattern();

    [GeneratedRegex(@"^[0-9A-F]{64}\z")]
    private static partial Regex Sha256();
}
