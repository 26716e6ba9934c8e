using System.Collections.Immutable;
using Weft.Agent.Plan.Pipeline;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;
using FlowTable = Weft.Ovsdb.OpenVSwitch.FlowTable;
using Weft.Topology;

namespace Weft.Agent.Sync;

/// <summary>The rows of the bridge itself, its table names, and its tunnel and gateway ports.</summary>
public static class Infrastructure
{
    /// <summary>The transaction that makes the rows right, or null when they are.</summary>
    /// <param name="snapshot">The database as it is.</param>
    /// <param name="options">Bridge name and data path type.</param>
    /// <param name="settings">The cluster's tunnel.</param>
    public static Transaction? Repair(DatabaseSnapshot snapshot, AgentOptions options, ClusterSettings settings)
    {
        var transaction = new Transaction();
        var root = snapshot.Rows<OpenVSwitchTable>().Single();
        if (!root.Get(OpenVSwitchTable.Datapaths).ContainsKey(options.DatapathType))
        {
            // vswitchd says what a data path can do only where there is a row for it.
            var datapath = transaction.Insert<Datapath>().Set(Datapath.ExternalIds, OvsdbMap.Of((PortIds.Owner, PortIds.OwnerDatapath)));
            transaction.Mutate(root.Uuid, OpenVSwitchTable.Datapaths.Insert(options.DatapathType, datapath.Uuid));
        }

        if (snapshot.Rows<Bridge>().Where(b => b.Get(Bridge.Name) == options.Bridge).Select(b => (Row<Bridge>?)b).FirstOrDefault() is not { } bridge)
        {
            var gateway = InsertGateway(transaction);
            var tunnel = InsertTunnel(transaction, settings.Tunnel);
            var local = InsertPort(transaction, options.Bridge, PortIds.OwnerBridge, transaction.Insert<Interface>().Set(Interface.Name, options.Bridge).Set(Interface.Type, "internal"));
            var insert = transaction.Insert<Bridge>()
                .Set(Bridge.Name, options.Bridge)
                .Set(Bridge.DatapathType, options.DatapathType)
                .Set(Bridge.FailMode, "secure")
                .Set(Bridge.ExternalIds, OvsdbMap.Of((PortIds.Owner, PortIds.OwnerBridge)))
                .Set(Bridge.FlowTables, InsertTables(transaction))
                .Set(Bridge.Ports, OvsdbSet.From([local, gateway, tunnel]));
            transaction.Mutate(root.Uuid, OpenVSwitchTable.Bridges.Insert(insert.Uuid));
            return transaction;
        }

        RepairBridge(transaction, snapshot, bridge, options);
        RepairGateway(transaction, snapshot, bridge);
        RepairTunnel(transaction, snapshot, bridge, settings.Tunnel);
        PodPorts.RemoveOrphans(transaction, snapshot);
        return transaction.IsEmpty ? null : transaction;
    }

    private static readonly RowIndex<string> InterfaceByName = Interface.Name.Index();
    private static readonly RowIndex<string> PortByName = Port.Name.Index();

    /// <summary>The indexes that the client of every snapshot here keeps.</summary>
    public static ImmutableArray<RowIndex> Indexes => [InterfaceByName, PortByName];

    /// <summary>The interface with this name, or null.</summary>
    public static Row<Interface>? FindInterface(DatabaseSnapshot snapshot, string name) =>
        snapshot.Find(InterfaceByName, name).Select(r => (Row<Interface>?)r.As<Interface>()).FirstOrDefault();

    /// <summary>The port with this name, or null.</summary>
    public static Row<Port>? FindPort(DatabaseSnapshot snapshot, string name) =>
        snapshot.Find(PortByName, name).Select(r => (Row<Port>?)r.As<Port>()).FirstOrDefault();

    /// <summary>The bridge that has a port with this name, or null: a name is there once in the whole switch.</summary>
    public static string? FindBridgeOf(DatabaseSnapshot snapshot, string portName) => snapshot.Find(PortByName, portName)
        .SelectMany(p => snapshot.Rows<Bridge>().Where(b => b.Get(Bridge.Ports).Contains(p.Uuid)))
        .Select(b => b.Get(Bridge.Name)).FirstOrDefault();

    private static void RepairBridge(Transaction transaction, DatabaseSnapshot snapshot, Row<Bridge> bridge, AgentOptions options)
    {
        if (bridge.Get(Bridge.DatapathType) != options.DatapathType)
        {
            transaction.Update<Bridge>(bridge.Uuid).Set(Bridge.DatapathType, options.DatapathType);
        }

        if (bridge.Get(Bridge.FailMode) != "secure")
        {
            transaction.Update<Bridge>(bridge.Uuid).Set(Bridge.FailMode, "secure");
        }

        if (bridge.Get(Bridge.ExternalIds).GetValueOrDefault(PortIds.Owner) != PortIds.OwnerBridge)
        {
            transaction.Mutate(bridge.Uuid, Bridge.ExternalIds.Insert(PortIds.Owner, PortIds.OwnerBridge));
        }

        var names = bridge.Get(Bridge.FlowTables);
        var right = names.Count == Tables.All.Length
            && Tables.All.All(t => names.TryGetValue(t.Id, out var row) && snapshot.Row<FlowTable>(row)?.Get(FlowTable.Name) == t.Name);
        if (!right)
        {
            transaction.Update<Bridge>(bridge.Uuid).Set(Bridge.FlowTables, InsertTables(transaction));
        }
    }

    private static void RepairGateway(Transaction transaction, DatabaseSnapshot snapshot, Row<Bridge> bridge)
    {
        if (IsElsewhere(snapshot, bridge, BridgePorts.GatewayName))
        {
            return;
        }

        if (FindInterface(snapshot, BridgePorts.GatewayName) is not { } gateway)
        {
            transaction.Mutate(bridge.Uuid, Bridge.Ports.Insert(InsertGateway(transaction)));
        }
        else if (gateway.Get(Interface.Mac) != BridgePorts.GatewayMac || gateway.Get(Interface.OfPortRequest) != BridgePorts.Gateway || gateway.Get(Interface.Type) != "internal")
        {
            transaction.Update<Interface>(gateway.Uuid).Set(Interface.Type, "internal")
                .Set(Interface.Mac, BridgePorts.GatewayMac).Set(Interface.OfPortRequest, BridgePorts.Gateway);
        }
    }

    private static void RepairTunnel(Transaction transaction, DatabaseSnapshot snapshot, Row<Bridge> bridge, TunnelType type)
    {
        if (IsElsewhere(snapshot, bridge, BridgePorts.TunnelName))
        {
            return;
        }

        if (FindInterface(snapshot, BridgePorts.TunnelName) is not { } tunnel)
        {
            transaction.Mutate(bridge.Uuid, Bridge.Ports.Insert(InsertTunnel(transaction, type)));
        }
        else if (tunnel.Get(Interface.Type) != TypeOf(type) || !tunnel.Get(Interface.Options).Equals(TunnelOptions) || tunnel.Get(Interface.OfPortRequest) != BridgePorts.Tunnel)
        {
            transaction.Update<Interface>(tunnel.Uuid).Set(Interface.Type, TypeOf(type))
                .Set(Interface.Options, TunnelOptions).Set(Interface.OfPortRequest, BridgePorts.Tunnel);
        }
    }

    /// <summary>Somebody else's port is not ours to change.</summary>
    private static bool IsElsewhere(DatabaseSnapshot snapshot, Row<Bridge> bridge, string name) =>
        FindBridgeOf(snapshot, name) is { } owner && owner != bridge.Get(Bridge.Name);

    /// <summary>Remote address and key are set by flows, so one port serves every node and network.</summary>
    private static readonly OvsdbMap<string, string> TunnelOptions = OvsdbMap.Of(("remote_ip", "flow"), ("key", "flow"));

    private static string TypeOf(TunnelType type) => type switch { TunnelType.Vxlan => "vxlan", TunnelType.Gre => "gre", _ => "geneve" };

    private static Guid InsertGateway(Transaction transaction) =>
        InsertPort(transaction, BridgePorts.GatewayName, PortIds.OwnerGateway, transaction.Insert<Interface>().Set(Interface.Name, BridgePorts.GatewayName)
            .Set(Interface.Type, "internal").Set(Interface.Mac, BridgePorts.GatewayMac).Set(Interface.OfPortRequest, BridgePorts.Gateway));

    private static Guid InsertTunnel(Transaction transaction, TunnelType type) =>
        InsertPort(transaction, BridgePorts.TunnelName, PortIds.OwnerTunnel, transaction.Insert<Interface>().Set(Interface.Name, BridgePorts.TunnelName)
            .Set(Interface.Type, TypeOf(type)).Set(Interface.Options, TunnelOptions).Set(Interface.OfPortRequest, BridgePorts.Tunnel));

    private static Guid InsertPort(Transaction transaction, string name, string owner, InsertOperation<Interface> device)
    {
        device.Set(Interface.ExternalIds, OvsdbMap.Of((PortIds.Owner, owner)));
        return transaction.Insert<Port>().Set(Port.Name, name).Set(Port.Interfaces, OvsdbSet.From([device.Uuid])).Uuid;
    }

    private static OvsdbMap<long, Guid> InsertTables(Transaction transaction) => OvsdbMap.From(Tables.All.Select(t =>
        KeyValuePair.Create((long)t.Id, transaction.Insert<FlowTable>().Set(FlowTable.Name, t.Name).Uuid)));
}
