using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using NuGet.Versioning;
using PluginHost.Sdk;

namespace PluginHost.Catalog.Inspection;

/// <summary>
/// Holds a plugin against the host's PluginHost.Sdk, from metadata alone: the range of versions that it asks for, and every type
/// and member that its assemblies refer to. Else a missing member would surface as an exception in the middle of a run.
/// </summary>
internal static class SdkCheck
{
    private const string Sdk = "PluginHost.Sdk";
    private static readonly Lazy<SdkSurface> Surface = new(() => SdkSurface.Read(typeof(PluginAttribute).Assembly.Location));

    /// <summary>The host's version of the SDK.</summary>
    public static NuGetVersion HostVersion { get; } = NuGetVersion.Parse(
        typeof(PluginAttribute).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0]);

    /// <summary>Why the host's SDK will not do for a range, or null.</summary>
    public static string? RangeProblem(VersionRange range)
    {
        if (range.Satisfies(HostVersion)) return null;
        var newer = range.MinVersion is { } minimum && minimum > HostVersion;
        return $"it works with {Sdk} {range.ToNormalizedString()}, and this host has {HostVersion.ToNormalizedString()}; "
            + (newer ? "update the host, or take an older version of the plugin" : "take a newer version of the plugin");
    }

    /// <summary>Checks every assembly of a plugin that refers to the SDK.</summary>
    /// <param name="assemblies">Paths of the plugin's own assemblies.</param>
    /// <param name="range">The versions that the plugin was built for, for the message.</param>
    /// <exception cref="FolderFaultException">The first members that the host's SDK lacks, or that the plugin does.</exception>
    public static void Members(IEnumerable<string> assemblies, string range)
    {
        foreach (var path in assemblies)
        {
            try
            {
                using var file = new PEReader(File.OpenRead(path));
                if (file.HasMetadata) Check(file.GetMetadataReader(), Path.GetFileName(path), range);
            }
            catch (BadImageFormatException)
            {
                throw new FolderFaultException($"{Path.GetFileName(path)} is damaged: its metadata cannot be read");
            }
        }
    }

    private static void Check(MetadataReader metadata, string name, string range)
    {
        var compiled = metadata.AssemblyReferences.Select(metadata.GetAssemblyReference).Where(reference => metadata.GetString(reference.Name) == Sdk).Select(reference => reference.Version).Max();
        if (compiled is null) return;
        const int most = 3;
        var missing = Missing(metadata).Distinct().Take(most + 1).ToList();
        if (missing.Count > 0)
            throw new FolderFaultException($"{name} needs {string.Join(", ", missing.Take(most))}{(missing.Count > most ? ", ..." : "")}, which {Sdk} {HostVersion.ToNormalizedString()} lacks; it was built for {range}");
        foreach (var (type, member) in Unimplemented(metadata).Take(1))
            throw new FolderFaultException($"{type} in {name} does not implement {member}, which {Sdk} {HostVersion.ToNormalizedString()} has; it was built for {range}: take a newer version of the plugin");
        // The runtime never binds a reference to an older assembly, whatever range the plugin promises.
        if (compiled > typeof(PluginAttribute).Assembly.GetName().Version)
            throw new FolderFaultException($"{name} was compiled against {Sdk} {compiled.ToString(3)}, and this host has {HostVersion.ToNormalizedString()}; update the host, or take an older version of the plugin");
    }

    private static IEnumerable<string> Missing(MetadataReader metadata)
    {
        foreach (var handle in metadata.TypeReferences)
            if (SignatureNames.OfSdk(metadata, handle) is { } name && !Surface.Value.HasType(name)) yield return $"{Sdk}.{Short(name)}";
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (Owner(metadata, member.Parent) is not { } owner || !Surface.Value.HasType(owner)) continue;
            var signature = Signature(metadata, member);
            if (!Surface.Value.HasMember(owner, metadata.GetString(member.Name), signature)) yield return Shown(owner, metadata.GetString(member.Name), signature);
        }
    }

    // An interface that has grown since the plugin was built: the plugin's class lacks what the host will call. An interface may
    // implement another's member for its classes; one of another package (a kind of its own) is not judged.
    private static IEnumerable<(string Type, string Member)> Unimplemented(MetadataReader metadata)
    {
        foreach (var type in metadata.TypeDefinitions.Select(metadata.GetTypeDefinition))
        {
            if (type.Attributes.HasFlag(TypeAttributes.Interface) || type.Attributes.HasFlag(TypeAttributes.Abstract)) continue;
            EntityHandle[] interfaces = [.. type.GetInterfaceImplementations().Select(handle => metadata.GetInterfaceImplementation(handle).Interface)];
            if (interfaces.Any(handle => IsOfAnotherPackage(metadata, handle))) continue;
            TypeDefinition[] own = [.. interfaces.Where(handle => handle.Kind == HandleKind.TypeDefinition).Select(handle => metadata.GetTypeDefinition((TypeDefinitionHandle)handle))];
            var contracts = interfaces.Where(handle => handle.Kind == HandleKind.TypeReference).Select(handle => SignatureNames.OfSdk(metadata, (TypeReferenceHandle)handle)).OfType<string>().ToList();
            foreach (var contract in contracts)
                foreach (var (member, signature) in Surface.Value.Required(contract))
                    if (!contracts.Any(other => Surface.Value.HasMember(other, $"{contract}.{member}", signature)) && !Implements(metadata, type, contract, member, signature)
                        && !own.Any(item => Declares(metadata, item, contract, member, signature)))
                        yield return (metadata.GetString(type.Name), Shown(contract, member, signature));
        }
    }

    // By name and signature, in the class or in the classes of the same assembly that it derives from. A class that derives from another assembly's is not judged.
    private static bool Implements(MetadataReader metadata, TypeDefinition type, string contract, string member, string signature)
    {
        while (true)
        {
            if (Declares(metadata, type, contract, member, signature)) return true;
            if (type.BaseType.IsNil || type.BaseType.Kind == HandleKind.TypeSpecification) return !type.BaseType.IsNil;
            if (type.BaseType.Kind == HandleKind.TypeReference)
                return SignatureNames.Full(metadata, (TypeReferenceHandle)type.BaseType) is not ("System.Object" or "System.ValueType");
            type = metadata.GetTypeDefinition((TypeDefinitionHandle)type.BaseType);
        }
    }

    private static bool Declares(MetadataReader metadata, TypeDefinition type, string contract, string member, string signature) =>
        type.GetMethods().Select(metadata.GetMethodDefinition).Any(method =>
            metadata.GetString(method.Name) is var name && (name == member || name == $"{contract}.{member}")
            && SignatureNames.Text(method.DecodeSignature(SignatureNames.Instance, null)) == signature);

    private static bool IsOfAnotherPackage(MetadataReader metadata, EntityHandle handle)
    {
        if (handle.Kind != HandleKind.TypeReference || SignatureNames.OfSdk(metadata, (TypeReferenceHandle)handle) is not null) return false;
        var scope = metadata.GetTypeReference((TypeReferenceHandle)handle).ResolutionScope;
        return scope.Kind == HandleKind.AssemblyReference
            && metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)scope).Name) is var assembly
            && !SharedAssemblies.Contains(assembly) && !FolderResolver.InRuntime(assembly);
    }

    private static string? Owner(MetadataReader metadata, EntityHandle parent) => parent.Kind switch
    {
        HandleKind.TypeReference => SignatureNames.OfSdk(metadata, (TypeReferenceHandle)parent),
        HandleKind.TypeSpecification when metadata.GetTypeSpecification((TypeSpecificationHandle)parent).DecodeSignature(SignatureNames.Instance, null) is { } name
            && name.StartsWith(Sdk, StringComparison.Ordinal) => name.Split('<')[0],
        _ => null,
    };

    private static string Signature(MetadataReader metadata, MemberReference member) => member.GetKind() == MemberReferenceKind.Field
        ? member.DecodeFieldSignature(SignatureNames.Instance, null)
        : SignatureNames.Text(member.DecodeMethodSignature(SignatureNames.Instance, null));

    // The namespace of every SDK type is the SDK's own name: once is enough.
    private static string Short(string type) => type.StartsWith(Sdk + ".", StringComparison.Ordinal) ? type[(Sdk.Length + 1)..] : type;

    // As the author wrote it: a property's accessor by the property's name.
    private static string Shown(string owner, string member, string signature)
    {
        var accessor = member.StartsWith("get_", StringComparison.Ordinal) || member.StartsWith("set_", StringComparison.Ordinal);
        var method = !accessor && signature.Contains('(', StringComparison.Ordinal);
        return $"{Sdk}.{Short(owner)}.{(accessor ? member[4..] : member == ".ctor" ? "new" : member)}{(method ? "(...)" : "")}";
    }
}

/// <summary>The types and members of an assembly, by names and signatures as texts.</summary>
internal sealed class SdkSurface
{
    private readonly Dictionary<string, (HashSet<string> Members, string? Base, List<(string, string)> Abstract)> types = [];

    public bool HasType(string name) => types.ContainsKey(name);

    /// <summary>Whether a type or its bases have a member. A base outside the assembly is not judged, unless it is object.</summary>
    public bool HasMember(string type, string name, string signature)
    {
        for (string? current = type; current is not null;)
        {
            if (!types.TryGetValue(current, out var known)) return current is not ("System.Object" or "System.ValueType" or "System.Enum" or "System.Attribute" or "System.Exception");
            if (known.Members.Contains($"{name} {signature}")) return true;
            current = known.Base;
        }
        return false;
    }

    /// <summary>The members of an interface that a class must implement.</summary>
    public IReadOnlyList<(string Member, string Signature)> Required(string contract) => types.TryGetValue(contract, out var known) ? known.Abstract : [];

    public static SdkSurface Read(string path)
    {
        var surface = new SdkSurface();
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        foreach (var handle in metadata.TypeDefinitions)
        {
            var type = metadata.GetTypeDefinition(handle);
            var methods = type.GetMethods().Select(metadata.GetMethodDefinition)
                .Select(method => (Name: metadata.GetString(method.Name), Signature: SignatureNames.Text(method.DecodeSignature(SignatureNames.Instance, null)), method.Attributes)).ToList();
            var fields = type.GetFields().Select(metadata.GetFieldDefinition).Select(field => $"{metadata.GetString(field.Name)} {field.DecodeSignature(SignatureNames.Instance, null)}");
            List<(string, string)> required = type.Attributes.HasFlag(TypeAttributes.Interface)
                ? [.. methods.Where(method => method.Attributes.HasFlag(MethodAttributes.Abstract)).Select(method => (method.Name, method.Signature))] : [];
            var parent = type.BaseType.IsNil ? null : SignatureNames.Name(metadata, type.BaseType);
            surface.types[SignatureNames.Full(metadata, handle)] = ([.. methods.Select(method => $"{method.Name} {method.Signature}"), .. fields], parent, required);
        }
        return surface;
    }
}

/// <summary>Types as texts that are the same seen from either assembly.</summary>
internal sealed class SignatureNames : ISignatureTypeProvider<string, object?>
{
    public static SignatureNames Instance { get; } = new();

    public static string Text(MethodSignature<string> signature) =>
        $"{(signature.Header.IsInstance ? "" : "static ")}{signature.GenericParameterCount} {signature.ReturnType} ({string.Join(", ", signature.ParameterTypes)})";

    /// <summary>The full name of a type of the SDK, or null when the reference is to another assembly.</summary>
    public static string? OfSdk(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return type.ResolutionScope.Kind switch
        {
            HandleKind.AssemblyReference when metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name) == "PluginHost.Sdk" => Full(metadata, handle),
            HandleKind.TypeReference when OfSdk(metadata, (TypeReferenceHandle)type.ResolutionScope) is not null => Full(metadata, handle),
            _ => null,
        };
    }

    public static string Full(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{Full(metadata, (TypeReferenceHandle)type.ResolutionScope)}+{metadata.GetString(type.Name)}"
            : Joined(metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    public static string Full(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        return type.IsNested
            ? $"{Full(metadata, type.GetDeclaringType())}+{metadata.GetString(type.Name)}"
            : Joined(metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    public static string Name(MetadataReader metadata, EntityHandle handle) => handle.Kind switch
    {
        HandleKind.TypeReference => Full(metadata, (TypeReferenceHandle)handle),
        HandleKind.TypeDefinition => Full(metadata, (TypeDefinitionHandle)handle),
        _ => metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(Instance, null).Split('<')[0],
    };

    public string GetArrayType(string elementType, ArrayShape shape) => $"{elementType}[{new string(',', shape.Rank - 1)}]";

    public string GetByReferenceType(string elementType) => elementType + "&";

    public string GetFunctionPointerType(MethodSignature<string> signature) => "*" + Text(signature);

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => $"{genericType}<{string.Join(",", typeArguments)}>";

    public string GetGenericMethodParameter(object? genericContext, int index) => "!!" + index;

    public string GetGenericTypeParameter(object? genericContext, int index) => "!" + index;

    // A modifier (init, in) belongs to the signature: the runtime compares it too.
    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => $"{unmodifiedType} {(isRequired ? "modreq" : "modopt")}({modifier})";

    public string GetPinnedType(string elementType) => elementType;

    public string GetPointerType(string elementType) => elementType + "*";

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();

    public string GetSZArrayType(string elementType) => elementType + "[]";

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Full(reader, handle);

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => Full(reader, handle);

    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    private static string Joined(string space, string name) => space.Length == 0 ? name : $"{space}.{name}";
}
