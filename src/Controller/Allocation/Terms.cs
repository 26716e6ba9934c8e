using System.Globalization;
using System.Net;
using Weft.Kubernetes;

namespace Weft.Controller.Allocation;

/// <summary>Counts terms in the ConfigMap <c>weft-term</c>.</summary>
public sealed class Terms(KubernetesClient client, string ns) : ITerms
{
    private const string Name = "weft-term";
    private const string Field = "term";

    /// <inheritdoc/>
    public async Task<long> BeginAsync(CancellationToken ct)
    {
        while (true)
        {
            var map = await client.ReadAsync(Resources.ConfigMaps, ns, Name, ct).ConfigureAwait(false);
            if (map?.Data?.GetValueOrDefault(Field) is { } text && !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                throw new KubernetesException($"ConfigMap {ns}/{Name}: data.{Field} is '{text}', not a number: set it to one that is higher than any \"term\" in pods' {AddressClaim.Annotation} annotations");
            }

            var term = long.Parse(map?.Data?.GetValueOrDefault(Field) ?? "0", CultureInfo.InvariantCulture) + 1;
            var next = new V1ConfigMap
            {
                Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = ns, ResourceVersion = map?.Metadata.ResourceVersion },
                Data = new Dictionary<string, string> { [Field] = term.ToString(CultureInfo.InvariantCulture) },
            };
            try
            {
                _ = map is null
                    ? await client.CreateAsync(Resources.ConfigMaps, ns, next, ct).ConfigureAwait(false)
                    : await client.ReplaceAsync(Resources.ConfigMaps, ns, next, ct).ConfigureAwait(false);
                return term;
            }
            catch (KubernetesException e) when (e.StatusCode is HttpStatusCode.Conflict)
            {
                // Another controller began a term at the same time: the next number.
            }
        }
    }
}
