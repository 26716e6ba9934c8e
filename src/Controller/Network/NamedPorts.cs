using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The named container ports of a pod. Equal ones are one instance: compare by reference.</summary>
internal sealed class NamedPorts(NamedPort[] ports)
{
    public static readonly NamedPorts None = new([]);

    public ReadOnlySpan<NamedPort> All => ports;

    /// <summary>The number of a port, or null when the pod has no such port.</summary>
    public int? this[string name, Protocol protocol]
    {
        get
        {
            foreach (var port in ports)
            {
                if (port.Protocol == protocol && port.Name == name)
                {
                    return port.Number;
                }
            }

            return null;
        }
    }

    /// <summary>The named ports of a pod's containers, sidecars included; of two with one name and protocol the first counts, as in Kubernetes.</summary>
    public static NamedPort[] Read(V1PodSpec? spec)
    {
        List<NamedPort>? found = null;
        foreach (var container in spec?.Containers ?? [])
        {
            Add(container, ref found);
        }

        foreach (var sidecar in spec?.InitContainers ?? [])
        {
            if (sidecar.RestartPolicy == "Always")
            {
                Add(sidecar, ref found);
            }
        }

        return found?.ToArray() ?? [];
    }

    private static void Add(V1Container container, ref List<NamedPort>? found)
    {
        foreach (var port in container.Ports ?? [])
        {
            if (!string.IsNullOrEmpty(port.Name) && Protocols.TryParse(port.Protocol, out var protocol)
                && (found is null || !found.Exists(p => p.Name == port.Name && p.Protocol == protocol)))
            {
                (found ??= []).Add(new NamedPort(port.Name, protocol, port.ContainerPort));
            }
        }
    }
}

/// <summary>A named port of a pod.</summary>
internal readonly record struct NamedPort(string Name, Protocol Protocol, int Number);

internal static class Protocols
{
    /// <summary>Reads a protocol as Kubernetes writes it; absent means TCP.</summary>
    public static bool TryParse(string? text, out Protocol protocol)
    {
        (var known, protocol) = text switch
        {
            null or "" or "TCP" => (true, Protocol.Tcp),
            "UDP" => (true, Protocol.Udp),
            "SCTP" => (true, Protocol.Sctp),
            _ => (false, default),
        };
        return known;
    }
}
