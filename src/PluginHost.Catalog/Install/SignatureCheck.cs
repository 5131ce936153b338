using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NuGet.Common;
using NuGet.Packaging;
using NuGet.Packaging.Signing;

namespace PluginHost.Catalog.Install;

/// <summary>Asks whether a package is signed by a certificate that the operator trusts.</summary>
internal static class SignatureCheck
{
    private static readonly SignedPackageVerifierSettings Policy = PolicyWith(timestamp: false);

    // A certificate that has expired counts only with a timestamp that holds.
    private static readonly SignedPackageVerifierSettings TimestampedPolicy = PolicyWith(timestamp: true);

    /// <summary>Checks the signature's integrity, validity and signer.</summary>
    /// <param name="package">The package.</param>
    /// <param name="trusted">SHA-256 fingerprints in upper-case hex.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="InstallFailedException">Which certificate signed it, and why that is not enough.</exception>
    public static async Task RunAsync(PluginPackage package, IReadOnlyList<string> trusted, CancellationToken cancellation)
    {
        using var reader = new PackageArchiveReader(package.Path);
        var signature = await Signature(package, reader, cancellation).ConfigureAwait(false)
            ?? throw Refused(package, "it is not signed, and the policy 'signed' of install.signatures takes signed packages only");
        X509Certificate2?[] signers = [signature.SignerInfo.Certificate, RepositoryCountersignature.GetRepositoryCountersignature(signature)?.SignerInfo.Certificate];
        var present = signers.OfType<X509Certificate2>().ToList();
        var shown = string.Join(" and ", present.Select(Shown));
        if (!present.Any(certificate => trusted.Contains(Fingerprint(certificate))))
            throw Refused(package, $"it is signed by {shown}, which is not one of the {trusted.Count} in install.certificates; add its fingerprint there if you trust it");

        var now = DateTime.Now;
        var valid = present.All(certificate => certificate.NotBefore <= now && now <= certificate.NotAfter);
        if (!valid && signature.Timestamps.Count == 0)
            throw Refused(package, $"it is signed by {shown}, which is not valid today, and no timestamp says that it was when it signed");

        // The list is the anchor of trust: a certificate in it needs no authority that this machine knows.
        var verifier = new PackageSignatureVerifier(
        [
            new IntegrityVerificationProvider(),
            new SignatureTrustAndValidityVerificationProvider(trusted.Select(print => KeyValuePair.Create(print, NuGet.Common.HashAlgorithmName.SHA256)))]);
        var result = await verifier.VerifySignaturesAsync(reader, valid ? Policy : TimestampedPolicy, cancellation).ConfigureAwait(false);
        if (result.IsValid) return;
        var issues = result.Results.SelectMany(item => item.Issues).Where(issue => issue.Level == LogLevel.Error).Select(issue => $"{issue.Code} {issue.Message}").Distinct();
        throw Refused(package, $"its signature by {shown} is not valid: {string.Join("; ", issues)}");
    }

    private static SignedPackageVerifierSettings PolicyWith(bool timestamp) => new(
        allowUnsigned: false, allowIllegal: false, allowUntrusted: false, allowIgnoreTimestamp: !timestamp, allowMultipleTimestamps: true, allowNoTimestamp: !timestamp,
        allowUnknownRevocation: true, reportUnknownRevocation: false, VerificationTarget.All, SignaturePlacement.Any, SignatureVerificationBehavior.IfExistsAndIsNecessary, RevocationMode.Offline);

    private static async Task<PrimarySignature?> Signature(PluginPackage package, PackageArchiveReader reader, CancellationToken cancellation)
    {
        try
        {
            return await reader.GetPrimarySignatureAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SignatureException or CryptographicException or InvalidDataException)
        {
            throw Refused(package, $"its signature cannot be read: {error.Message.TrimEnd('.')}");
        }
    }

    private static InstallFailedException Refused(PluginPackage package, string why) => new($"the package {package.Name} is refused: {why}");

    private static string Fingerprint(X509Certificate2 certificate) => certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256);

    private static string Shown(X509Certificate2 certificate) => $"{certificate.Subject} (SHA-256 {Fingerprint(certificate)}, valid to {certificate.NotAfter:yyyy-MM-dd})";
}
