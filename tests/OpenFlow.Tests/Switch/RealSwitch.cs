using Weft.OpenFlow.Switch;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Switch;

/// <summary>A real ovs-vswitchd with one bridge and two ports, and a connection of ours to it.</summary>
public sealed class RealSwitch : IAsyncDisposable
{
    private RealSwitch(OvsdbServerProcess database, VSwitchdProcess process, OpenFlowSwitch connection) =>
        (Database, Process, Connection) = (database, process, connection);

    public OvsdbServerProcess Database { get; }

    public VSwitchdProcess Process { get; }

    public OpenFlowSwitch Connection { get; }

    public OpenFlowEndpoint Endpoint => OpenFlowEndpoint.Unix(Process.ManagementSocket("br0"));

    public static async Task<RealSwitch> StartAsync(OpenFlowOptions? options = null)
    {
        var database = await OvsdbServerProcess.StartAsync();
        var process = await VSwitchdProcess.StartAsync(database);
        await database.VsctlAsync(
            wait: true,
            "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail_mode=secure",
            "--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "ofport_request=1",
            "--", "add-port", "br0", "p2", "--", "set", "interface", "p2", "type=dummy", "ofport_request=2");
        var connection = new OpenFlowSwitch(OpenFlowEndpoint.Unix(process.ManagementSocket("br0")), options);
        connection.Start();
        await connection.WaitForLiveAsync().WaitAsync(TimeSpan.FromSeconds(10));
        return new RealSwitch(database, process, connection);
    }

    public Task<string> OfctlAsync(params string[] arguments) => Process.OfctlAsync(["-O", "OpenFlow13", .. arguments]);

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await Process.DisposeAsync();
        await Database.DisposeAsync();
    }
}
