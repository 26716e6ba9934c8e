namespace Weft.TestSupport;

/// <summary>A raft cluster of real <c>ovsdb-server</c> processes on one database, over unix sockets.</summary>
public sealed class OvsdbClusterProcess : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ChildProcess?[] _members;
    private readonly string _database;

    private OvsdbClusterProcess(int size, string database)
    {
        _members = new ChildProcess?[size];
        _database = database;
    }

    /// <summary>The number of members, running or not.</summary>
    public int Size => _members.Length;

    /// <summary>The socket that clients connect to.</summary>
    public string Socket(int member) => _folder.File($"s{member}.sock");

    /// <summary>True while the member runs.</summary>
    public bool IsRunning(int member) => _members[member] is not null;

    /// <summary>Creates a cluster and starts all members.</summary>
    public static async Task<OvsdbClusterProcess> StartAsync(
        int size = 3, string schema = OvsdbServerProcess.OpenVSwitchSchema, string database = "Open_vSwitch")
    {
        var cluster = new OvsdbClusterProcess(size, database);
        try
        {
            for (var i = 0; i < size; i++)
            {
                string[] create = i == 0
                    ? ["create-cluster", cluster.File(0), schema, cluster.Raft(0)]
                    : ["join-cluster", cluster.File(i), database, cluster.Raft(i), cluster.Raft(0)];
                await ChildProcess.RunAsync("ovsdb-tool", create);
                await cluster.StartMemberAsync(i);
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a stopped member and waits until it is in the cluster.</summary>
    public async Task StartMemberAsync(int member)
    {
        System.IO.File.Delete(Socket(member));
        var process = _members[member] = ChildProcess.Start("ovsdb-server",
        [
            $"--remote=punix:{Socket(member)}", $"--unixctl={Control(member)}", "--no-chdir", $"--log-file={_folder.File($"s{member}.log")}",
            "-vconsole:off", "-vfile:info", "-vsyslog:off", File(member),
        ]);
        await Eventually.True($"member {member} joined the cluster: {process.Output}", async () =>
            (await StatusAsync(member)).Contains("Status: cluster member", StringComparison.Ordinal) && await HasLeaderAsync(member), TimeSpan.FromSeconds(30));
    }

    /// <summary>Kills a member at once.</summary>
    public async Task KillMemberAsync(int member)
    {
        if (_members[member] is { } process)
        {
            _members[member] = null;
            await process.DisposeAsync();
        }
    }

    /// <summary>The member that leads now.</summary>
    public async Task<int> LeaderAsync()
    {
        var leader = -1;
        await Eventually.True("a member leads", async () =>
        {
            for (var i = 0; i < Size; i++)
            {
                if (IsRunning(i) && (await StatusAsync(i)).Contains("Role: leader", StringComparison.Ordinal))
                {
                    leader = i;
                    return true;
                }
            }

            return false;
        }, TimeSpan.FromSeconds(30));
        return leader;
    }

    /// <summary>Runs <c>ovs-appctl</c> against a member.</summary>
    public Task<string> AppctlAsync(int member, params string[] command) =>
        ChildProcess.RunAsync("ovs-appctl", ["-t", Control(member), .. command]);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        for (var i = 0; i < Size; i++)
        {
            await KillMemberAsync(i);
        }

        _folder.Dispose();
    }

    private string File(int member) => _folder.File($"s{member}.db");

    private string Raft(int member) => $"unix:{_folder.File($"r{member}")}";

    private string Control(int member) => _folder.File($"c{member}.ctl");

    private Task<string> StatusAsync(int member) => AppctlAsync(member, "cluster/status", _database);

    private async Task<bool> HasLeaderAsync(int member) =>
        !(await StatusAsync(member)).Contains("Leader: unknown", StringComparison.Ordinal);
}
