using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Weft.Kubernetes;

namespace Weft.Controller.Allocation;

/// <summary>Writes what a pod was given into the pod.</summary>
public sealed class PodClaims(KubernetesClient client)
{
    /// <summary>The annotation that says why a pod has no addresses.</summary>
    public const string RefusalAnnotation = "weft.dev/addresses-refused";

    /// <summary>Writes the annotation if the pod is still the version that was decided upon. One write for each pod, whatever happens later.</summary>
    /// <remarks>The version is what keeps a late write of a controller that died from replacing a newer decision.</remarks>
    /// <param name="pod">The pod as the watch told it.</param>
    /// <param name="claim">What it was given.</param>
    /// <param name="ct">Stops.</param>
    /// <returns>False when the pod is another one now, or gone: decide again when the watch tells it.</returns>
    /// <exception cref="KubernetesException">Unknown whether it was written: do the same again.</exception>
    public Task<bool> TryWriteAsync(V1Pod pod, AddressClaim claim, CancellationToken ct) => TryAnnotateAsync(pod, AddressClaim.Annotation, claim.ToAnnotation(), ct);

    /// <summary>Writes into the pod why it has no addresses. At the start of a term this also ends what an earlier controller may have on its way to this pod.</summary>
    /// <returns>As <see cref="TryWriteAsync"/>.</returns>
    /// <exception cref="KubernetesException">Unknown whether it was written: do the same again.</exception>
    public Task<bool> RefuseAsync(V1Pod pod, string reason, CancellationToken ct) => TryAnnotateAsync(pod, RefusalAnnotation, reason, ct);

    private async Task<bool> TryAnnotateAsync(V1Pod pod, string annotation, string text, CancellationToken ct)
    {
        var patch = JsonSerializer.SerializeToUtf8Bytes(
            new MetadataPatch(new V1ObjectMeta
            {
                Uid = pod.Metadata.Uid,
                ResourceVersion = pod.Metadata.ResourceVersion,
                Annotations = new Dictionary<string, string> { [annotation] = text },
            }),
            PodClaimsJson.Default.MetadataPatch);
        try
        {
            await client.PatchAsync(Resources.Pods, pod.Metadata.NamespaceProperty, pod.Metadata.Name!, null, PatchKind.Merge, patch, ct).ConfigureAwait(false);
            return true;
        }
        catch (KubernetesException e) when (e.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}

internal sealed record MetadataPatch(V1ObjectMeta Metadata);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MetadataPatch))]
internal sealed partial class PodClaimsJson : JsonSerializerContext
{
}
