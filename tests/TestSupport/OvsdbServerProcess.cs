namespace Weft.TestSupport;

/// <summary>A real <c>ovsdb-server</c> with databases of its own in a temporary folder.</summary>
/// <remarks>Everything ends and disappears with <see cref="DisposeAsync"/>, or with the test host.</remarks>
public sealed class OvsdbServerProcess : IAsyncDisposable
{
    /// <summary>The schema of the Open_vSwitch database that Debian's openvswitch-common installs.</summary>
    public const string OpenVSwitchSchema = "/usr/share/openvswitch/vswitch.ovsschema";

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _arguments;
    private ChildProcess? _process;

    private OvsdbServerProcess(IEnumerable<string> extraArguments)
    {
        Socket = _folder.File("db.sock");
        Control = _folder.File("ovsdb.ctl");
        _arguments =
        [
            $"--remote=punix:{Socket}", $"--unixctl={Control}", "--no-chdir", $"--log-file={_folder.File("ovsdb-server.log")}",
            "-vconsole:off", "-vfile:info", "-vsyslog:off",
        ];
        _arguments.AddRange(extraArguments);
    }

    /// <summary>The temporary folder; give it to other programs as OVS_RUNDIR.</summary>
    public string Folder => _folder.Path;

    /// <summary>The unix socket that clients connect to.</summary>
    public string Socket { get; }

    /// <summary>The control socket for <c>ovs-appctl -t</c>.</summary>
    public string Control { get; }

    /// <summary>The socket as an OVSDB remote, <c>unix:PATH</c>.</summary>
    public string Remote => "unix:" + Socket;

    /// <summary>The files of the databases.</summary>
    public IReadOnlyList<string> Databases => _databases;

    private readonly List<string> _databases = [];

    /// <summary>The environment that makes the ovs-* programs use this server and folder.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["OVS_RUNDIR"] = Folder, ["OVS_LOGDIR"] = Folder, ["OVS_DBDIR"] = Folder,
    };

    /// <summary>The running server.</summary>
    public ChildProcess Process => _process ?? throw new InvalidOperationException("ovsdb-server is stopped");

    /// <summary>Creates databases (Open_vSwitch when none is named) and starts a server for them.</summary>
    /// <param name="schemas">Files of schemas.</param>
    /// <param name="extraArguments">More arguments for <c>ovsdb-server</c>, such as <c>--remote=ptcp:0:127.0.0.1</c>.</param>
    public static async Task<OvsdbServerProcess> StartAsync(
        IEnumerable<string>? schemas = null, IEnumerable<string>? extraArguments = null)
    {
        var server = new OvsdbServerProcess(extraArguments ?? []);
        try
        {
            foreach (var schema in schemas ?? [OpenVSwitchSchema])
            {
                var file = server._folder.File($"{server._databases.Count}.db");
                await ChildProcess.RunAsync("ovsdb-tool", ["create", file, schema]);
                server._databases.Add(file);
            }

            await server.StartAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server again on the same databases after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        File.Delete(Socket);
        _process = ChildProcess.Start("ovsdb-server", [.. _arguments, .. _databases], Environment);
        await Eventually.True($"ovsdb-server answers on {Socket}: {_process.Output}", async () =>
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"ovsdb-server ended: {_process.Output}");
            }

            await AppctlAsync("version");
            return File.Exists(Socket);
        });
    }

    /// <summary>Kills the server; the databases stay.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
            _process = null;
        }
    }

    /// <summary>Runs <c>ovs-appctl</c> against the server.</summary>
    public Task<string> AppctlAsync(params string[] command) =>
        ChildProcess.RunAsync("ovs-appctl", ["-t", Control, .. command], Environment);

    /// <summary>Runs <c>ovs-vsctl --no-wait</c> or, when <paramref name="wait"/>, waits for vswitchd too.</summary>
    public Task<string> VsctlAsync(bool wait, params string[] command) =>
        ChildProcess.RunAsync("ovs-vsctl", [$"--db={Remote}", .. wait ? ["--timeout=20"] : new[] { "--no-wait" }, .. command], Environment);

    /// <summary>Runs <c>ovsdb-client</c>: its first word, then this server's remote, then the rest.</summary>
    public Task<string> ClientAsync(string command, params string[] arguments) =>
        ChildProcess.RunAsync("ovsdb-client", [command, Remote, .. arguments], Environment);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}
