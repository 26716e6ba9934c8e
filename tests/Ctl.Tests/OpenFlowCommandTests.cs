using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary><c>weftctl openflow</c> as a script uses it: lines in, answers out, in order; ovs-ofctl is the oracle.</summary>
public sealed class OpenFlowCommandTests
{
    private static readonly string[] Texts =
    [
        "table=3,priority=7,cookie=0x9,tcp,tp_dst=80 actions=ct(commit,zone=5),output:1",
        "in_port=1 actions=outpt:1",
        "group_id=1,type=select,bucket=weight:10,actions=output:1",
        "meter=1,kbps,burst,bands=type=drop,rate=100,burst_size=50",
        "",
    ];

    [Test]
    public async Task Every_line_of_hex_has_one_answer_in_order_as_ofp_print_gives_it()
    {
        string[] lines =
        [
            "0402000800000001", // echo request
            "040e 0008 0000 0002", // a flow mod cut short
            "xyz",
            "04ff000800000003", // an unknown type
            "040a003400000004ffffffff000a000300000000000000070001000c800000040000000300000000000000112233445566554433", // packet-in
            "0416001000000005ff00ff0000000000", // a port that does not exist
        ];
        var (output, _, exit) = await RunAsync(lines, "decode", "--output", "json");
        var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.That(answers, Has.Count.EqualTo(lines.Length));
        Assert.That(exit, Is.EqualTo(1), "a line was not hexadecimal");
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i] == "xyz")
            {
                Assert.That((string?)answers[i]["error"], Does.Contain("hexadecimal"));
                continue;
            }

            var theirs = await ChildProcess.RunAsync("ovs-ofctl", ["-voff", "ofp-print", lines[i].Replace(" ", "", StringComparison.Ordinal)]);
            Assert.That((string?)answers[i]["text"], Is.EqualTo(theirs.TrimEnd('\n')), lines[i]);
        }
    }

    [Test]
    public async Task Texts_become_hex_line_by_line_and_lead_back()
    {
        var (output, error, exit) = await RunAsync(Texts, "encode");
        var lines = output.Split('\n')[..^1];
        Assert.That(lines, Has.Length.EqualTo(Texts.Length));
        Assert.That((lines[1], lines[4]), Is.EqualTo(("", "")));
        Assert.That(error, Does.Contain("outpt"));
        Assert.That(exit, Is.EqualTo(1));
        var (decoded, _, _) = await RunAsync([lines[0], lines[2], lines[3]], "decode");
        Assert.That(decoded, Does.Contain("ADD table:3 priority=7,tcp,tp_dst=80 cookie:0x9 actions=ct(commit,zone=5),output:1").And.Contain("ADD group_id=1,type=select").And.Contain("ADD meter=1 kbps burst"));
        var (objects, _, _) = await RunAsync(Texts, "encode", "--output", "json");
        var answers = objects.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.That(answers.Select(a => a["text"] is not null), Is.EqualTo(new[] { true, false, true, true, false }));
        Assert.That(answers.Select(a => a["error"] is not null), Is.EqualTo(new[] { false, true, false, false, true }));
    }

    [Test]
    public async Task A_capture_of_a_real_connection_reads_as_ovs_ofctl_tells_it()
    {
        await using var database = await OvsdbServerProcess.StartAsync();
        await using var process = await VSwitchdProcess.StartAsync(database);
        var port = FreePort();
        await database.VsctlAsync(
            wait: true,
            "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail_mode=secure",
            "--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "--", "set-controller", "br0", $"ptcp:{port}:127.0.0.1");
        var file = Path.Combine(database.Folder, "capture.pcap");
        await using var tcpdump = ChildProcess.Start("tcpdump", ["-i", "lo", "-U", "-B", "65536", "--immediate-mode", "-Z", "root", "-w", file, "tcp", "port", $"{port}"]);
        await Eventually.True("tcpdump writes the header", () => File.Exists(file) && new FileInfo(file).Length >= 24);

        // ofp-parse-pcap of Open vSwitch 3.1.0 aborts on such files (double free); what ovs-ofctl logs of its connections is printed by the same code.
        var log = Path.Combine(database.Folder, "ofctl.log");
        foreach (var command in (string[][])[["dump-flows"], ["dump-ports"], ["dump-group-features"], ["queue-stats"], ["show"]])
        {
            string[] rest = command.Length > 1 ? [command[1]] : [];
            await ChildProcess.RunAsync("ovs-ofctl", ["-O", "OpenFlow13", $"--log-file={log}", "-vvconn:file:dbg", "-vPATTERN:file:%m", command[0], $"tcp:127.0.0.1:{port}", .. rest]);
        }

        var size = -1L;
        await Eventually.True("the capture comes to an end", () => size == (size = new FileInfo(file).Length));
        await tcpdump.KillAsync();
        var theirs = await File.ReadAllTextAsync(log);
        var (output, _, exit) = await RunAsync([], "decode", "--output", "json", "--pcap", file);
        var texts = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (string)JsonNode.Parse(l)!["text"]!).ToList();
        Assert.That(exit, Is.Zero);
        Assert.That(texts, Has.Some.Contains("OFPST_FLOW reply").And.Some.Contains("OFPST_GROUP_FEATURES reply").And.Some.Contains("OFPST_PORT_DESC reply"));
        Assert.Multiple(() =>
        {
            foreach (var text in texts)
            {
                Assert.That(theirs, Does.Contain(text));
            }
        });
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    private static async Task<(string Output, string Error, int Exit)> RunAsync(string[] lines, params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "weftctl.dll");
        var start = new ProcessStartInfo(Path.Combine(Path.GetDirectoryName(Environment.ProcessPath!)!, "dotnet"), [program, "openflow", .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(string.Concat(lines.Select(l => l + "\n")));
        process.StandardInput.Close();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        return (await output, await error, process.ExitCode);
    }
}
