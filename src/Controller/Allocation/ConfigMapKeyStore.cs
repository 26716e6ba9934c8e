using System.Globalization;
using System.Net;
using Weft.Kubernetes;

namespace Weft.Controller.Allocation;

/// <summary>Keeps the ledger in the ConfigMap <c>weft-network-keys</c>: one line a key, readable with kubectl.</summary>
internal sealed class ConfigMapKeyStore(KubernetesClient client, string ns) : IKeyStore
{
    private const string Name = "weft-network-keys";
    private const string NextField = "next";

    public async Task<StoredKeys> ReadAsync(CancellationToken ct)
    {
        var map = await client.ReadAsync(Resources.ConfigMaps, ns, Name, ct).ConfigureAwait(false);
        var keys = new StoredKeys { Version = map?.Metadata.ResourceVersion };
        foreach (var (name, text) in map?.Data ?? [])
        {
            if (!int.TryParse(name == NextField ? text : name, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                // A note of somebody else; it goes with the next write.
            }
            else if (name == NextField)
            {
                keys.Next = number;
            }
            else if (KeyEntry.Read(text) is { } entry)
            {
                keys.Entries[number] = entry;
            }
            else
            {
                keys.Unreadable[number] = text;
            }
        }

        return keys;
    }

    public async Task<bool> TryWriteAsync(StoredKeys keys, CancellationToken ct)
    {
        var data = new Dictionary<string, string>(StringComparer.Ordinal) { [NextField] = Text(keys.Next) };
        foreach (var (key, text) in keys.Entries.OrderBy(e => e.Key).Select(e => (e.Key, e.Value.ToString())).Concat(keys.Unreadable.Select(u => (u.Key, u.Value))))
        {
            data[Text(key)] = text;
        }

        var map = new V1ConfigMap { Metadata = new V1ObjectMeta { Name = Name, NamespaceProperty = ns, ResourceVersion = keys.Version }, Data = data };
        try
        {
            var stored = keys.Version is null
                ? await client.CreateAsync(Resources.ConfigMaps, ns, map, ct).ConfigureAwait(false)
                : await client.ReplaceAsync(Resources.ConfigMaps, ns, map, ct).ConfigureAwait(false);
            keys.Version = stored.Metadata.ResourceVersion;
            return true;
        }
        catch (KubernetesException e) when (e.StatusCode is HttpStatusCode.Conflict || (e.StatusCode is HttpStatusCode.NotFound && keys.Version is not null))
        {
            // Somebody else wrote, made or deleted it.
            return false;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
