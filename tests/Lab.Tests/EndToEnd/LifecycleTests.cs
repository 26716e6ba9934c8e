using System.Diagnostics;
using System.Globalization;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.State;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>The lab as its user has it: commands, and what they leave on the machine.</summary>
[NonParallelizable]
public sealed class LifecycleTests
{
    private static readonly string Name = TestLab.NameOf("lif");
    private static readonly LabLayout Layout = new(Name);
    private static readonly LabPrograms Programs = new();

    [TearDown]
    public Task EndLab() => LabRemoval.DownAsync(Layout, CancellationToken.None);

    [Test]
    public async Task Up_shows_pods_and_pings_within_20_seconds_and_down_leaves_nothing()
    {
        var before = await MachineAsync();
        var clock = Stopwatch.StartNew();

        var (exit, output) = await RunAsync("up", "--name", Name, "--nodes", "3");

        var elapsed = clock.Elapsed;
        Assert.That(exit, Is.Zero, output);
        Assert.Multiple(() =>
        {
            Assert.That(elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), output);
            Assert.That(output, Does.Contain("demo/web-1").And.Contain("CNI ADD").And.Contain("ok / ok").And.Contain("Try next"));
        });
        TestContext.Out.WriteLine($"up --nodes 3: {elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s");

        var (downExit, downOutput) = await RunAsync("down", "--name", Name);

        Assert.That(downExit, Is.Zero, downOutput);
        await AssertNothingLeftAsync(before);
    }

    [TestCase("underlay")]
    [TestCase("agents and kubelets")]
    public async Task Up_that_was_killed_is_recovered_by_up_and_by_down(string step)
    {
        var before = await MachineAsync();
        await KillAtAsync(step);
        var (exit, output) = await RunAsync("up", "--name", Name, "--nodes", "1", "--manifests", "");
        Assert.That(exit, Is.Zero, output);

        await KillAtAsync(step);
        (exit, output) = await RunAsync("down", "--name", Name);
        Assert.That(exit, Is.Zero, output);
        await AssertNothingLeftAsync(before);
    }

    [Test]
    public async Task Down_without_a_lab_is_no_error()
    {
        var (exit, output) = await RunAsync("down", "--name", Name);
        Assert.That(exit, Is.Zero, output);
    }

    [TestCase("up", "--nodes", "0", "--nodes is 0")]
    [TestCase("up", "--tunnel", "ipip", "--tunnel is 'ipip'")]
    [TestCase("up", "--manifests", "/nowhere", "/nowhere")]
    [TestCase("up", "--name", "Capital", "--name is 'Capital'")]
    [TestCase("status", "--name", "none", "scripts/lab up")]
    public async Task Bad_options_are_named(string command, string option, string value, string named)
    {
        var (exit, output) = await RunAsync(command, option, value);
        Assert.That(exit, Is.Not.Zero);
        Assert.That(output, Does.Contain(named));
    }

    [Test]
    public async Task A_malformed_manifest_is_named_and_skipped_and_the_others_run()
    {
        var folder = Directory.CreateTempSubdirectory("weft-manifests-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "a-broken.yaml"), "kind: Pod\n  bad: [");
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "b-invalid.yaml"), """
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "no-containers", "namespace": "default"}, "spec": {"containers": []}}
                """);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "c-good.yaml"), """
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "good", "namespace": "default"},
                 "spec": {"containers": [{"name": "main", "image": "none"}]}}
                """);

            var (_, output) = await RunAsync("up", "--name", Name, "--nodes", "1", "--manifests", folder.FullName);

            Assert.Multiple(() =>
            {
                Assert.That(output, Does.Contain("a-broken.yaml"));
                Assert.That(output, Does.Contain("no-containers"));
                Assert.That(output, Does.Match("default/good.*ready"));
            });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public async Task Another_API_server_can_be_used_and_is_left_as_it_was()
    {
        var folder = Directory.CreateTempSubdirectory("weft-api-");
        await using var server = ChildProcess.Start(Programs.Lab.First(),
        [
            .. Programs.Lab.Skip(1), "apiserver", "--state-dir", folder.FullName, "--listen", "127.0.0.1:0",
            "--cluster-cidr", new LabOptions().ClusterCidrs, "--service-cidr", LabLayout.ServiceCidrs,
        ]);
        var kubeconfig = Path.Combine(folder.FullName, "admin.kubeconfig");
        await Eventually.True("the other API server serving", () => server.Output.Contains("serving", StringComparison.Ordinal), TimeSpan.FromSeconds(20));

        var (exit, output) = await RunAsync("up", "--name", Name, "--nodes", "2", "--kubeconfig", kubeconfig);

        Assert.That(exit, Is.Zero, output);
        Assert.That(output, Does.Contain("ok / ok"));
        Assert.That(await NodesAsync(kubeconfig), Is.EqualTo("node/node1\nnode/node2\n"));
        (exit, output) = await RunAsync("down", "--name", Name);
        Assert.That(exit, Is.Zero, output);
        Assert.That(await NodesAsync(kubeconfig), Is.Empty);
        await server.KillAsync();
        folder.Delete(recursive: true);
    }

    private static Task<string> NodesAsync(string kubeconfig) =>
        Shell.RunAsync("kubectl", [$"--kubeconfig={kubeconfig}", "get", "nodes", "-o", "name"]);

    private static async Task KillAtAsync(string step)
    {
        await using var up = ChildProcess.Start(Programs.Lab.First(), [.. Programs.Lab.Skip(1), "up", "--name", Name, "--nodes", "1", "--manifests", ""]);
        await Eventually.True($"'{step}'", () => up.Output.Contains(step, StringComparison.Ordinal), TimeSpan.FromSeconds(20));
        await up.KillAsync();
    }

    private static async Task<(int Exit, string Output)> RunAsync(params string[] arguments)
    {
        string[] command = [.. Programs.Lab, .. arguments];
        var result = await Shell.TryRunAsync(command[0], command[1..], null, null, TimeSpan.FromSeconds(120), CancellationToken.None);
        return (result.ExitCode, result.Output + result.Error);
    }

    /// <summary>What the machine's own namespace has.</summary>
    private static async Task<string> MachineAsync() =>
        await Shell.RunAsync("ip", ["-o", "link", "show"]) + await Shell.RunAsync("ip", ["-o", "addr", "show"])
        + await Shell.RunAsync("ip", ["route", "show", "table", "all"]) + await Shell.RunAsync("nft", ["list", "ruleset"]);

    private static async Task AssertNothingLeftAsync(string before)
    {
        var after = await MachineAsync();
        Assert.Multiple(() =>
        {
            Assert.That(ProcessTable.OfLab(Name), Is.Empty, "processes");
            Assert.That(Layout.ExistingNamespaces(), Is.Empty, "namespaces");
            Assert.That(Directory.Exists(Layout.Folder), Is.False, Layout.Folder);
            foreach (var folder in new[] { Layout.CgroupMount, Layout.HostProc, $"/sys/fs/cgroup/{Layout.Cgroup}", $"/sys/fs/cgroup/unified/{Layout.Cgroup}" })
            {
                Assert.That(Directory.Exists(folder), Is.False, folder);
            }

            Assert.That(after, Is.EqualTo(before), "links, addresses, routes, nft rules of the machine");
        });
    }
}
