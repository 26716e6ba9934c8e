using System.Globalization;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;

namespace Weft.Agent.Sync;

/// <summary>The rows of pods' ports: port, interface, and the queue of those that are limited. A port and its limit come and go in one transaction.</summary>
internal static class PodPorts
{
    private const string Htb = "linux-htb";
    private const string MaxRate = "max-rate";
    private const string MinRate = "min-rate";
    private const string Burst = "burst";

    /// <summary>The transaction that makes the ports as they must be, or null when they are.</summary>
    /// <exception cref="InvalidOperationException">A name is on another bridge, or the bridge is missing.</exception>
    public static Transaction? Ensure(DatabaseSnapshot snapshot, string bridgeName, IEnumerable<AttachedPort> ports)
    {
        var transaction = new Transaction();
        foreach (var port in ports)
        {
            Ensure(transaction, snapshot, bridgeName, port);
        }

        return transaction.IsEmpty ? null : transaction;
    }

    /// <summary>The transaction that adds ports without pods.</summary>
    /// <exception cref="InvalidOperationException">The bridge is missing.</exception>
    public static Transaction InsertSpares(DatabaseSnapshot snapshot, string bridgeName, IEnumerable<(string Name, int OfPort)> ports)
    {
        var transaction = new Transaction();
        var bridge = FindBridge(snapshot, bridgeName) ?? throw Missing(bridgeName);
        foreach (var (name, ofPort) in ports)
        {
            InsertPort(transaction, bridge, name, ofPort, OvsdbMap.Of((PortIds.Owner, PortIds.OwnerSpare)));
        }

        return transaction;
    }

    /// <summary>The transaction that takes ports away, or null when none is there.</summary>
    public static Transaction? Remove(DatabaseSnapshot snapshot, string bridgeName, IEnumerable<string> names)
    {
        if (FindBridge(snapshot, bridgeName) is not { } bridge)
        {
            return null;
        }

        var transaction = new Transaction();
        foreach (var name in names)
        {
            if (Infrastructure.FindPort(snapshot, name) is { } port)
            {
                transaction.Mutate(bridge.Uuid, Bridge.Ports.Delete(port.Uuid));
                RemoveLimit(transaction, snapshot, name, port);
            }
        }

        return transaction.IsEmpty ? null : transaction;
    }

    /// <summary>Takes away what limited ports that are gone, when somebody else removed them while no agent ran.</summary>
    public static void RemoveOrphans(Transaction transaction, DatabaseSnapshot snapshot)
    {
        var owners = snapshot.Rows<Qos>().Select(q => q.Get(Qos.ExternalIds)).Concat(snapshot.Rows<Queue>().Select(q => q.Get(Queue.ExternalIds)))
            .Select(ids => ids.GetValueOrDefault(PortIds.LimitOf)).OfType<string>().Distinct(StringComparer.Ordinal);
        foreach (var name in owners.Where(n => Infrastructure.FindPort(snapshot, n) is null))
        {
            RemoveLimit(transaction, snapshot, name, null);
        }
    }

    /// <summary>What a port's rows limit it to; null: nothing, or not as we do.</summary>
    public static BandwidthLimit? LimitOf(DatabaseSnapshot snapshot, Row<Port> port) =>
        port.Get(Port.Qos) is { } reference && snapshot.Row<Qos>(reference) is { } qos && qos.Get(Qos.Type) == Htb
        && qos.Get(Qos.Queues).TryGetValue(0, out var first) && snapshot.Row<Queue>(first) is { } queue
        && qos.Get(Qos.OtherConfig).GetValueOrDefault(MaxRate) is { } rate && queue.Get(Queue.OtherConfig).GetValueOrDefault(MaxRate) == rate
            ? BandwidthLimit.Parse($"{rate}/{queue.Get(Queue.OtherConfig).GetValueOrDefault(Burst)}")
            : null;

    private static void Ensure(Transaction transaction, DatabaseSnapshot snapshot, string bridgeName, AttachedPort port)
    {
        var name = port.Attachment.HostInterface;
        if (Infrastructure.FindBridgeOf(snapshot, name) is { } owner && owner != bridgeName)
        {
            throw new InvalidOperationException($"port {name} is on bridge {owner}: remove it there (ovs-vsctl del-port {owner} {name})");
        }

        var ids = OvsdbMap.From(PortIds.Describe(port.Attachment));
        if (Infrastructure.FindInterface(snapshot, name) is not { } device || Infrastructure.FindPort(snapshot, name) is not { } row)
        {
            var bridge = FindBridge(snapshot, bridgeName) ?? throw Missing(bridgeName);
            RemoveLimit(transaction, snapshot, name, null);
            var insert = InsertPort(transaction, bridge, name, port.OfPort, ids);
            if (port.Attachment.IngressLimit is { } limit)
            {
                insert.Set(Port.Qos, InsertLimit(transaction, name, limit));
            }

            return;
        }

        // A repeated ADD finds its own port; only what differs is written.
        if (device.Get(Interface.OfPort) != port.OfPort || !device.Get(Interface.ExternalIds).Equals(ids))
        {
            transaction.Update<Interface>(device.Uuid).Set(Interface.ExternalIds, ids).Set(Interface.OfPortRequest, port.OfPort);
        }

        if (LimitOf(snapshot, row) != port.Attachment.IngressLimit)
        {
            RemoveLimit(transaction, snapshot, name, row);
            if (port.Attachment.IngressLimit is { } limit)
            {
                transaction.Update<Port>(row.Uuid).Set(Port.Qos, InsertLimit(transaction, name, limit));
            }
        }
    }

    private static InsertOperation<Port> InsertPort(Transaction transaction, Row<Bridge> bridge, string name, int ofPort, OvsdbMap<string, string> ids)
    {
        var device = transaction.Insert<Interface>().Set(Interface.Name, name).Set(Interface.OfPortRequest, ofPort).Set(Interface.ExternalIds, ids);
        var port = transaction.Insert<Port>().Set(Port.Name, name).Set(Port.Interfaces, OvsdbSet.From([device.Uuid]));
        transaction.Mutate(bridge.Uuid, Bridge.Ports.Insert(port.Uuid));
        return port;
    }

    private static InvalidOperationException Missing(string bridgeName) => new($"bridge {bridgeName} is missing in OVSDB: the agent is about to make it, try again");

    /// <summary>All that leaves through the port waits in its queue 0 (ovs-vswitchd.conf.db(5), "linux-htb").</summary>
    private static Guid InsertLimit(Transaction transaction, string port, BandwidthLimit limit)
    {
        var rate = limit.Rate.ToString(CultureInfo.InvariantCulture);
        var ids = OvsdbMap.Of((PortIds.Owner, PortIds.OwnerPod), (PortIds.LimitOf, port));
        var queue = transaction.Insert<Queue>().Set(Queue.ExternalIds, ids)
            .Set(Queue.OtherConfig, OvsdbMap.Of((MinRate, rate), (MaxRate, rate), (Burst, limit.Burst.ToString(CultureInfo.InvariantCulture))));
        return transaction.Insert<Qos>().Set(Qos.Type, Htb).Set(Qos.ExternalIds, ids).Set(Qos.OtherConfig, OvsdbMap.Of((MaxRate, rate)))
            .Set(Qos.Queues, OvsdbMap.From([KeyValuePair.Create(0L, queue.Uuid)])).Uuid;
    }

    /// <summary>These rows stay in the database when their port goes: they are taken away by name.</summary>
    private static void RemoveLimit(Transaction transaction, DatabaseSnapshot snapshot, string name, Row<Port>? port)
    {
        if (port is { } row && row.Get(Port.Qos) is not null)
        {
            transaction.Update<Port>(row.Uuid).Set(Port.Qos, null);
        }

        foreach (var qos in snapshot.Rows<Qos>().Where(q => q.Get(Qos.ExternalIds).GetValueOrDefault(PortIds.LimitOf) == name))
        {
            transaction.Delete<Qos>(qos.Uuid);
        }

        foreach (var queue in snapshot.Rows<Queue>().Where(q => q.Get(Queue.ExternalIds).GetValueOrDefault(PortIds.LimitOf) == name))
        {
            transaction.Delete<Queue>(queue.Uuid);
        }
    }

    private static Row<Bridge>? FindBridge(DatabaseSnapshot snapshot, string name) =>
        snapshot.Rows<Bridge>().Where(b => b.Get(Bridge.Name) == name).Select(b => (Row<Bridge>?)b).FirstOrDefault();
}
