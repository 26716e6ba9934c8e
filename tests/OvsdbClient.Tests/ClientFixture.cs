using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;

namespace Weft.Ovsdb.Tests;

/// <summary>What most tests need: time limits and clients of a test's server.</summary>
internal static class ClientFixture
{
    /// <summary>Everything that the library has keys for.</summary>
    public static readonly MonitorSelection WholeSwitch = MonitorSelection.None
        .Add<OpenVSwitchTable>().Add<Bridge>().Add<Port>().Add<Interface>().Add<FlowTable>().Add<Controller>();

    /// <summary>A token that ends a wait that should have ended long ago.</summary>
    public static CancellationToken Limit(int seconds = 20) => new CancellationTokenSource(TimeSpan.FromSeconds(seconds)).Token;

    /// <summary>Options for a server.</summary>
    public static OvsdbClientOptions Options(OvsdbServerProcess server, MonitorSelection? selection = null) => new()
    {
        Endpoints = [OvsdbEndpoint.Unix(server.Socket)], Monitor = selection ?? WholeSwitch,
        Reconnect = new ReconnectPolicy { Minimum = TimeSpan.FromMilliseconds(20), Maximum = TimeSpan.FromMilliseconds(200) },
    };

    /// <summary>A live client of a server.</summary>
    public static async Task<OvsdbClient> ConnectAsync(OvsdbServerProcess server, MonitorSelection? selection = null) =>
        await LiveAsync(Options(server, selection));

    /// <summary>A live client.</summary>
    public static async Task<OvsdbClient> LiveAsync(OvsdbClientOptions options)
    {
        var client = OvsdbClient.Start(options);
        try
        {
            await client.WaitUntilLiveAsync(Limit());
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a bridge with its local port; returns the operation that inserts it.</summary>
    public static InsertOperation<Bridge> AddBridge(this Transaction transaction, string name)
    {
        var local = transaction.Insert<Interface>().Set(Interface.Name, name).Set(Interface.Type, "internal");
        var port = transaction.Insert<Port>().Set(Port.Name, name).Set(Port.Interfaces, [local.Uuid]);
        var bridge = transaction.Insert<Bridge>().Set(Bridge.Name, name).Set(Bridge.Ports, [port.Uuid]);
        transaction.Mutate([], OpenVSwitchTable.Bridges.Insert(bridge.Uuid));
        return bridge;
    }

    /// <summary>Adds a port to a bridge by name.</summary>
    public static Transaction WithPort(this Transaction transaction, string bridge, InsertOperation<Port> port)
    {
        transaction.Mutate([Bridge.Name.Is(bridge)], Bridge.Ports.Insert(port.Uuid));
        return transaction;
    }
}
