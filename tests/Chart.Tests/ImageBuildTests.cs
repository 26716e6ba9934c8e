using System.Net;
using System.Net.Sockets;
using Weft.Lab.ApiServer.Tests;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Chart.Tests;

/// <summary>The Dockerfiles are built, twice, and what is in the images starts as the chart starts it.</summary>
[Category("Images")]
public sealed class ImageBuildTests
{
    private static readonly string[] Images = ["ovs", "controller", "agent"];
    private readonly string _netns = $"weft-img-{Environment.ProcessId}";
    private ImageStore _store = null!;

    [OneTimeSetUp]
    public async Task MakeBasesAsync()
    {
        if (ImageStore.Missing is { } reason)
        {
            Assert.Ignore(reason);
        }

        _store = new ImageStore();
        await _store.MakeBasesAsync();
        await Shell.RunAsync("ip", ["netns", "add", _netns]);
        await Shell.RunAsync("ip", ["-n", _netns, "link", "set", "lo", "up"]);
    }

    [OneTimeTearDown]
    public async Task RemoveAsync()
    {
        if (_store is not null)
        {
            await Shell.RunAsync("ip", ["netns", "del", _netns]);
            _store.Dispose();
        }
    }

    [TestCaseSource(nameof(Images))]
    public async Task The_same_sources_give_the_same_layers(string image)
    {
        const string Layers = "{{.OCIv1.RootFS.DiffIDs}}";
        var first = await _store.InspectAsync(await _store.BuildAsync(image), Layers);
        var second = await _store.InspectAsync(await _store.BuildAsync(image, "two"), Layers);
        Assert.That(second, Is.EqualTo(first));
        Assert.That(first, Does.Contain("sha256:"));
    }

    [TestCase("controller", "65532:65532", 60)]
    [TestCase("agent", "", 200)]
    [TestCase("ovs", "", 150)]
    public async Task An_image_adds_little_to_its_base_and_runs_as_it_should(string image, string user, int megabytes)
    {
        var name = await _store.BuildAsync(image);
        Assert.That(await _store.InspectAsync(name, "{{.OCIv1.Config.User}}"), Is.EqualTo(user));
        var added = await AddedAsync(image);
        await TestContext.Out.WriteLineAsync($"{image}: {added / 1_000_000} MB on top of its base image");
        Assert.That(added, Is.LessThan(megabytes * 1_000_000L));
    }

    [Test]
    public async Task Open_vSwitch_starts_and_answers_its_probes_and_the_agent_connects_to_it()
    {
        var (ovs, agent) = (await _store.MountAsync("ovs"), await _store.MountAsync("agent"));
        string[] inside = ["netns", "exec", _netns];
        await using var database = ChildProcess.Start("ip", [.. inside, "chroot", ovs, "/usr/local/bin/weft-ovs", "ovsdb-server"]);
        await using var vswitch = ChildProcess.Start("ip", [.. inside, "chroot", ovs, "/usr/local/bin/weft-ovs", "ovs-vswitchd"]);
        foreach (var part in (string[])["ovsdb-server", "ovs-vswitchd"])
        {
            await Eventually.True($"{part} answers its probe", async () => (await TryAsync("chroot", ovs, "/usr/local/bin/weft-ovs", "check", part)).ExitCode == 0);
        }

        Directory.CreateDirectory(Path.Combine(agent, "run/openvswitch"));
        await File.WriteAllTextAsync(Path.Combine(agent, "tmp/agent.json"), """{"nodeName":"n1","controllers":["https://127.0.0.1:7443"],"datapathType":"netdev"}""");
        await using var process = ChildProcess.Start("ip",
            [.. inside, "unshare", "-m", "sh", "-c", $"mount --bind {ovs}/run/openvswitch {agent}/run/openvswitch && mount -t proc proc {agent}/proc && exec chroot {agent} dotnet /app/weft-agent.dll --config /tmp/agent.json"]);
        await Eventually.True("the agent is healthy", async () => (await TryAsync("ip", [.. inside, "curl", "-sf", "http://127.0.0.1:10351/healthz"])).ExitCode == 0, TimeSpan.FromSeconds(60));
        await Eventually.True("the agent reads the database", () => process.Output.Contains("To = Live", StringComparison.Ordinal));
        var ready = await TryAsync("ip", [.. inside, "curl", "-s", "http://127.0.0.1:10351/readyz"]);
        Assert.That(ready.Output, Does.Contain("the controller has not answered"));
    }

    [Test]
    public async Task The_agent_brings_a_plugin_that_needs_nothing_of_the_node_and_the_programs_that_weftctl_calls()
    {
        var agent = await _store.MountAsync("agent");
        var result = await TryAsync("unshare", "-m", "sh", "-c",
            $"mount -t proc proc {agent}/proc && mkdir -p {agent}/tmp/bin {agent}/tmp/conf && exec chroot {agent} dotnet /app/weft-agent.dll install-cni --bin-dir /tmp/bin --conf-dir /tmp/conf --conf-name 05-weft.conflist --socket /run/weft/cni.sock");
        Assert.That(result.ExitCode, Is.Zero, result.Error + result.Output);
        var plugin = Path.Combine(agent, "tmp/bin/weft-cni");
        var version = await Shell.TryRunAsync("env", ["CNI_COMMAND=VERSION", plugin], """{"cniVersion":"1.1.0"}""", null, TimeSpan.FromSeconds(10), CancellationToken.None);
        Assert.That(version.Output, Does.Contain("supportedVersions"), version.Error);
        Assert.That((await TryAsync("ldd", plugin)).Output + (await TryAsync("ldd", plugin)).Error, Does.Contain("not a dynamic executable").Or.Contain("statically linked"));
        foreach (var program in (string[])["ovs-vsctl", "ovs-ofctl", "ovs-appctl", "nft", "ip", "ethtool", "tcpdump", "timeout", "tail", "cat"])
        {
            Assert.That((await TryAsync("chroot", agent, "sh", "-c", $"command -v {program}")).ExitCode, Is.Zero, program);
        }
    }

    [Test]
    public async Task The_controller_runs_as_nobody_in_an_image_without_a_shell()
    {
        var image = await _store.MountAsync("controller");
        Assert.That(((string[])["bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/apt-get"]).Where(p => File.Exists(Path.Combine(image, p))), Is.Empty);
        var metrics = FreePort();
        await using var server = await TestServer.StartAsync();
        await server.CreateNamespaceAsync("weft-system");
        File.Copy(server.Host.KubeconfigPath, Path.Combine(image, "tmp/kubeconfig"));
        await File.WriteAllTextAsync(Path.Combine(image, "tmp/controller.json"),
            $$"""{"kubeconfig":"/tmp/kubeconfig","tlsDir":"/tmp/tls","listen":"127.0.0.1:{{FreePort()}}","metricsListen":"127.0.0.1:{{metrics}}","clusterCidrs":["10.10.0.0/16"],"serviceCidrs":["10.96.0.0/16"]}""");
        await Shell.RunAsync("chown", ["-R", "65532:65532", Path.Combine(image, "tmp")]);
        Directory.CreateDirectory(Path.Combine(image, "proc"));
        Directory.CreateDirectory(Path.Combine(image, "dev"));
        await using var process = ChildProcess.Start("unshare",
            ["-m", "sh", "-c", $"mount -t proc proc {image}/proc && mount --bind /dev {image}/dev && exec chroot --userspec=65532:65532 {image} /usr/bin/dotnet /app/weft-controller.dll --config /tmp/controller.json"]);
        var page = await Eventually.Some("the controller's page of metrics", async () =>
            process.HasExited ? process.Output : (await TryAsync("curl", "-sf", $"http://127.0.0.1:{metrics}/metrics")).Output is { Length: > 0 } text ? text : null, TimeSpan.FromSeconds(60));
        Assert.That(page, Does.Contain("weft_controller_leader"));
        Assert.That((await File.ReadAllLinesAsync($"/proc/{process.Id}/status")).Single(l => l.StartsWith("Uid:", StringComparison.Ordinal)), Does.Contain("65532\t65532"));
    }

    /// <summary>The size of what an image has over its base, of files as they lie on the disk.</summary>
    private async Task<long> AddedAsync(string image)
    {
        var @base = (await Shell.RunAsync("bash", ["-c", $"cd '{Helm.Root}' && . scripts/lib/images && base_name {image} {(image == "ovs" ? "BASE" : "RUNTIME")}"])).Trim();
        var sizes = await _store.SizesAsync();
        return sizes[$"localhost/weft-{image}:one"] - sizes.Single(s => s.Key.EndsWith(@base, StringComparison.Ordinal)).Value;
    }

    private static Task<ShellResult> TryAsync(string program, params string[] arguments) =>
        Shell.TryRunAsync(program, arguments, null, null, TimeSpan.FromSeconds(60), CancellationToken.None);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
