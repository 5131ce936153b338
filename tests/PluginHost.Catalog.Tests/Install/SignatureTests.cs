using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NuGet.Common;
using NuGet.Packaging.Signing;
using PluginHost.Config;

namespace PluginHost.Catalog.Tests.Install;

public sealed class SignatureTests : IDisposable
{
    private static readonly X509Certificate2 Acme = Certificate("CN=Acme", DateTimeOffset.UtcNow.AddYears(1));
    private static readonly X509Certificate2 Stranger = Certificate("CN=Stranger", DateTimeOffset.UtcNow.AddYears(1));
    private readonly PackagePlace place = new();

    public void Dispose() => place.Dispose();

    private static string Print(X509Certificate2 certificate) => certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256);

    [Fact]
    public async Task Install_Unsigned_IsRefusedUnderSigned()
    {
        (place.Signatures, place.Certificates) = (SignaturePolicy.Signed, [Print(Acme)]);
        place.Publish("Acme.Plain", "1.0.0");

        Assert.Equal("the package Acme.Plain 1.0.0 from local is refused: it is not signed, and the policy 'signed' of install.signatures takes signed packages only", await place.Refused("Acme.Plain"));
    }

    [Fact]
    public async Task Install_SignedByAListedCertificate_IsInstalled()
    {
        (place.Signatures, place.Certificates) = (SignaturePolicy.Signed, [Print(Stranger), Print(Acme)]);
        await Sign(place.Publish("Acme.Plain", "1.0.0"), Acme);

        await place.Install("Acme.Plain");

        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
    }

    [Fact]
    public async Task Install_SignedByAnother_SaysWhichCertificateAndWhy()
    {
        (place.Signatures, place.Certificates) = (SignaturePolicy.Signed, [Print(Acme)]);
        await Sign(place.Publish("Acme.Plain", "1.0.0"), Stranger);

        Assert.Equal(
            $"the package Acme.Plain 1.0.0 from local is refused: it is signed by CN=Stranger (SHA-256 {Print(Stranger)}, valid to {Stranger.NotAfter:yyyy-MM-dd}), which is not one of the 1 in install.certificates; add its fingerprint there if you trust it",
            await place.Refused("Acme.Plain"));
    }

    [Fact]
    public async Task Install_AlteredAfterSigning_IsRefused()
    {
        (place.Signatures, place.Certificates) = (SignaturePolicy.Signed, [Print(Acme)]);
        var package = place.Publish("Acme.Plain", "1.0.0");
        await Sign(package, Acme);
        var path = Path.Combine(place.Feed, "Acme.Plain.1.0.0.nupkg");
        using (var archive = System.IO.Compression.ZipFile.Open(path, System.IO.Compression.ZipArchiveMode.Update)) TestPackage.Add(archive, "plugin/slipped.txt", [1]);

        var message = await place.Refused("Acme.Plain");

        Assert.StartsWith($"the package Acme.Plain 1.0.0 from local is refused: its signature by CN=Acme (SHA-256 {Print(Acme)}", message, StringComparison.Ordinal);
        Assert.Contains("is not valid: NU3", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_CertificateThatHasExpired_IsRefused()
    {
        var package = place.Publish("Acme.Plain", "1.0.0");
        using var expired = Certificate("CN=Old", DateTimeOffset.UtcNow.AddSeconds(6));
        (place.Signatures, place.Certificates) = (SignaturePolicy.Signed, [Print(expired)]);
        await Sign(package, expired);
        await Task.Delay(TimeSpan.FromSeconds(7));

        Assert.EndsWith("which is not valid today, and no timestamp says that it was when it signed", await place.Refused("Acme.Plain"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Install_UnderLocked_TakesOnlyWhatTheLockNames()
    {
        place.Publish("Acme.Plain", "1.0.0");
        await place.Install("Acme.Plain");
        place.Signatures = SignaturePolicy.Locked;
        place.Publish("Acme.Plain", "2.0.0");

        Assert.Equal("the package Acme.Plain 2.0.0 from local is refused: the policy 'locked' of install.signatures takes only what the lock file names, and it does not name this version", await place.Refused("Acme.Plain"));
        Directory.Delete(Path.Combine(place.Store.Folder, "acme.plain"), recursive: true);
        await new PluginHost.Catalog.Install.PluginInstaller(place.Host).RestoreAsync(default);
        Assert.Equal("1.0.0", place.Tell("media.acme-plain"));
    }

    private async Task Sign(TestPackage package, X509Certificate2 certificate)
    {
        var path = Path.Combine(place.Feed, $"{package.Id}.{package.Version}.nupkg");
        var signed = path + ".signed";
        using (var options = SigningOptions.CreateFromFilePaths(path, signed, overwrite: true, new X509SignatureProvider(timestampProvider: null), NullLogger.Instance))
        using (var request = new AuthorSignPackageRequest(new X509Certificate2(certificate), NuGet.Common.HashAlgorithmName.SHA256))
            await SigningUtility.SignAsync(options, request, default);
        File.Move(signed, path, overwrite: true);
    }

    private static X509Certificate2 Certificate(string name, DateTimeOffset until)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, System.Security.Cryptography.HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), until);
    }
}
