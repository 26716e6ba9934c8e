using System.Text.Json;
using System.Text.Json.Serialization;
using Weft.Topology;

namespace Weft.Controller.Allocation;

/// <summary>The addresses that the controller gave to a pod, as the pod's own object says it in the annotation <see cref="Annotation"/>.</summary>
public sealed record AddressClaim
{
    /// <summary>The annotation's name.</summary>
    public const string Annotation = "weft.dev/addresses";

    /// <summary>The pod's uid: a copy of the annotation in another pod means nothing.</summary>
    public required string Uid { get; init; }

    /// <summary>The term of the controller that gave them (<see cref="ITerms"/>). Of two claims to an address that of the later term counts.</summary>
    public required long Term { get; init; }

    /// <summary>The id of the subnet.</summary>
    public required string Subnet { get; init; }

    /// <summary>One address of each family of the subnet, canonical.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];

    /// <summary>The MAC address that was asked for, or null.</summary>
    public string? Mac { get; init; }

    /// <summary>Reads an annotation.</summary>
    /// <returns>Null when there is none, or when it is not the controller's word on this pod.</returns>
    public static AddressClaim? Read(string? annotation, string uid)
    {
        try
        {
            return annotation is not null && JsonSerializer.Deserialize(annotation, AddressClaimJson.Default.AddressClaim) is { } claim
                && claim.Uid == uid && !claim.Addresses.IsEmpty && claim.Addresses.All(a => AddressRange.TryNumber(a, out _, out _)) ? claim : null;
        }
        catch (JsonException)
        {
            // Written by somebody else; the controller writes its own over it.
            return null;
        }
    }

    /// <summary>The annotation's text.</summary>
    public string ToAnnotation() => JsonSerializer.Serialize(this, AddressClaimJson.Default.AddressClaim);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AddressClaim))]
internal sealed partial class AddressClaimJson : JsonSerializerContext
{
}
