namespace Weft.TestSupport;

/// <summary>A real <c>ovs-vswitchd</c> with dummy datapaths and devices: needs neither root nor the kernel module.</summary>
/// <remarks>Bridges' OpenFlow sockets are <c>FOLDER/NAME.mgmt</c>, see <see cref="ManagementSocket"/>.</remarks>
public sealed class VSwitchdProcess : IAsyncDisposable
{
    private readonly IReadOnlyList<string> _arguments;
    private ChildProcess? _process;

    private VSwitchdProcess(OvsdbServerProcess database, IEnumerable<string> arguments)
    {
        Database = database;
        Control = Path.Combine(database.Folder, "vswitchd.ctl");
        _arguments =
        [
            .. arguments, $"--unixctl={Control}", "--no-chdir", $"--log-file={Path.Combine(database.Folder, "ovs-vswitchd.log")}",
            "-vconsole:off", "-vfile:info", "-vsyslog:off", database.Remote,
        ];
    }

    /// <summary>The database that configures the switch. It outlives this process.</summary>
    public OvsdbServerProcess Database { get; }

    /// <summary>The control socket for <c>ovs-appctl -t</c>.</summary>
    public string Control { get; }

    /// <summary>The running switch.</summary>
    public ChildProcess Process => _process ?? throw new InvalidOperationException("ovs-vswitchd is stopped");

    /// <summary>Starts a switch on <paramref name="database"/>, with <c>--enable-dummy=override --disable-system</c> unless told otherwise.</summary>
    public static async Task<VSwitchdProcess> StartAsync(OvsdbServerProcess database, IEnumerable<string>? arguments = null)
    {
        var process = new VSwitchdProcess(database, arguments ?? ["--enable-dummy=override", "--disable-system"]);
        try
        {
            await database.VsctlAsync(wait: false, "init");
            await process.StartAsync();
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the switch again after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        _process = ChildProcess.Start("ovs-vswitchd", _arguments, Database.Environment);
        await Eventually.True($"ovs-vswitchd answers on {Control}: {_process.Output}", async () =>
        {
            if (_process.HasExited)
            {
                throw new InvalidOperationException($"ovs-vswitchd ended: {_process.Output}");
            }

            await AppctlAsync("version");
            return true;
        });
    }

    /// <summary>Kills the switch; bridges in the database stay.</summary>
    public async Task StopAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
            _process = null;
        }
    }

    /// <summary>The OpenFlow management socket of a bridge.</summary>
    public string ManagementSocket(string bridge) => Path.Combine(Database.Folder, bridge + ".mgmt");

    /// <summary>Runs <c>ovs-appctl</c> against the switch.</summary>
    public Task<string> AppctlAsync(params string[] command) =>
        ChildProcess.RunAsync("ovs-appctl", ["-t", Control, .. command], Database.Environment);

    /// <summary>Runs <c>ovs-ofctl</c> with this switch's rundir, so that bridges are found by name.</summary>
    public Task<string> OfctlAsync(params string[] command) =>
        ChildProcess.RunAsync("ovs-ofctl", command, Database.Environment);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StopAsync();
}
