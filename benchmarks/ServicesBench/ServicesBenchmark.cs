using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.State;
using Weft.OpenFlow.Switch;
using Weft.TestSupport;

namespace Weft.Bench.ServicesBench;

/// <summary>10,000 Services with 50,000 endpoints on one node of a lab: install, change, new connections, memory. All processes are the real ones.</summary>
internal static class ServicesBenchmark
{
    private const int EndpointsEach = 5;
    private const int Changes = 200;
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

    public static async Task<int> RunAsync(string[] args)
    {
        var count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 10_000;
        var options = new LabOptions { Name = $"bs{Environment.ProcessId % 10_000}", Nodes = 1, Manifests = "" };
        var cluster = await LabCluster.UpAsync(options, Console.Error.WriteLine, CancellationToken.None);
        try
        {
            using var api = cluster.ConnectApi();
            await using var ofSwitch = new OpenFlowSwitch(OpenFlowEndpoint.Unix(Path.Combine(cluster.Layout.OvsFolder("node1"), "br-int.mgmt")));
            ofSwitch.Start();
            var client = await PodAsync(cluster, api, "client");
            var (served, direct) = (await PodAsync(cluster, api, "served"), await PodAsync(cluster, api, "direct"));
            await using var first = await ProbeServer.StartAsync(served.Netns!, "served", [80], []);
            await using var second = await ProbeServer.StartAsync(direct.Netns!, "direct", [80], []);
            await Eventually.True("the switch is live", () => ofSwitch.State.State == SwitchState.Live);
            var (flowsBefore, groupsBefore) = await CountAsync(ofSwitch);
            Console.Error.WriteLine($"creating {count} Services with {count * EndpointsEach} endpoints");
            await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, ct) => await CreateAsync(api, i, ct));
            await Eventually.True("every flow", async () => (await FlowsAsync(ofSwitch)) >= flowsBefore + count, TimeSpan.FromMinutes(3));

            await InstallAsync(cluster, ofSwitch, count, flowsBefore, groupsBefore);
            await ChangeAsync(api, ofSwitch);
            // Two servers: a connection to an endpoint and one to its Service from the same port would be one to conntrack.
            var service = await RealServiceAsync(api, served);
            await ConnectionsAsync(new NetnsProbe(client.Netns!), service, new IPEndPoint(direct.Addresses.First(a => a.AddressFamily == AddressFamily.InterNetwork), 80));
            return 0;
        }
        finally
        {
            await LabRemoval.DownAsync(cluster.Layout, CancellationToken.None);
        }
    }

    /// <summary>The agent starts beside a switch that holds nothing, until everything is in it.</summary>
    private static async Task InstallAsync(LabCluster cluster, OpenFlowSwitch ofSwitch, int count, int flowsBefore, int groupsBefore)
    {
        const string Agent = "node1/agent";
        var (flows, groups) = await CountAsync(ofSwitch);
        await cluster.StopAsync(Agent, force: false, CancellationToken.None);
        string[] ofctl = [.. cluster.Layout.Node("node1").Wrap([Shell.Find("ovs-ofctl"), "-O", "OpenFlow13", "del-groups", "br-int"])];
        foreach (var what in new[] { "del-flows", "del-groups" })
        {
            ofctl[^2] = what;
            var result = await Shell.TryRunAsync(ofctl[0], ofctl[1..], null, cluster.OvsEnvironment("node1"), TimeSpan.FromSeconds(30), CancellationToken.None);
            if (result.ExitCode != 0)
            {
                throw new InvalidOperationException($"ovs-ofctl {what}: {result.Error}");
            }
        }

        var clock = Stopwatch.StartNew();
        cluster.StartAgain(Agent);
        await Eventually.True("every flow in the switch again", async () => await FlowsAsync(ofSwitch) == flows, TimeSpan.FromMinutes(2));
        new Figure($"services_{count}_install", clock.Elapsed.TotalSeconds, 10, "s").Print();
        var after = await CountAsync(ofSwitch);
        if (after != (flows, groups))
        {
            throw new InvalidOperationException($"the agent installed {after}, it was {(flows, groups)} before its restart");
        }

        new Figure("services_flows_per_port_and_family", (flows - flowsBefore) / (double)count, 3, "flows").Print();
        new Figure("services_groups_per_port_and_family", (groups - groupsBefore) / (double)count, 1, "groups").Print();

        // What it holds, not what it needed for a moment: it gives that back right after its first comparison.
        await Task.Delay(TimeSpan.FromSeconds(4));
        new Figure($"services_{count}_agent_memory", Megabytes(cluster.State.Process(Agent).Pid), 150, "MB").Print();
    }

    /// <summary>One endpoint more, one less: from the call to the API until the switch has the bucket.</summary>
    private static async Task ChangeAsync(ClusterApi api, OpenFlowSwitch ofSwitch)
    {
        var slice = await api.GetAsync($"{Slices}/s-7", CancellationToken.None);
        var group = await GroupOfAsync(ofSwitch, (string)(await api.GetAsync($"{Services}/s-7", CancellationToken.None))["spec"]!["clusterIP"]!);
        var times = new List<double>();
        for (var i = 0; i < Changes; i++)
        {
            var endpoints = slice["endpoints"]!.DeepClone().AsArray();
            if (i % 2 == 0)
            {
                endpoints.RemoveAt(0);
            }

            var before = await BucketsAsync(ofSwitch, group);
            var clock = Stopwatch.StartNew();
            await api.PatchAsync($"{Slices}/s-7", new JsonObject { ["endpoints"] = endpoints }, CancellationToken.None);
            while (await BucketsAsync(ofSwitch, group) == before)
            {
                if (clock.Elapsed > TimeSpan.FromSeconds(20))
                {
                    throw new TimeoutException("a change of an endpoint did not come to the switch within 20 s");
                }
            }

            times.Add(clock.Elapsed.TotalMilliseconds);
        }

        times.Sort();
        new Figure("services_endpoint_change_p50", times[times.Count / 2], null, "ms").Print();
        new Figure("services_endpoint_change_p99", times[times.Count * 99 / 100], null, "ms").Print();
    }

    /// <summary>Both ways in turn, so that what else the machine does falls on both; the median of the turns counts.</summary>
    private static async Task ConnectionsAsync(NetnsProbe probe, IPEndPoint service, IPEndPoint direct)
    {
        await Eventually.True("the Service answers", async () => (await probe.TcpAsync(service)).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(20));
        var (through, straight) = (new List<double>(), new List<double>());
        for (var turn = 0; turn < 6; turn++)
        {
            straight.Add(await RateAsync(probe, direct));
            through.Add(await RateAsync(probe, service));
        }

        through.Sort();
        straight.Sort();
        new Figure("services_new_connections", through[through.Count / 2], straight[straight.Count / 2], "1/s").Print();
    }

    private static async Task<double> RateAsync(NetnsProbe probe, IPEndPoint to)
    {
        var (done, clock) = (0, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            while (clock.Elapsed < TimeSpan.FromSeconds(1.5))
            {
                var result = await probe.TcpAsync(to);
                if (result.Outcome == ProbeOutcome.Connected)
                {
                    Interlocked.Increment(ref done);
                }
            }
        }));
        return done / clock.Elapsed.TotalSeconds;
    }

    private static async Task CreateAsync(ClusterApi api, int i, CancellationToken ct)
    {
        await api.CreateAsync(Services, JsonNode.Parse($$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"s-{{i}}"},"spec":{"ports":[{"port":80}]} }
            """)!.AsObject(), ct);
        var addresses = Enumerable.Range(0, EndpointsEach).Select(e => $"10.10.{200 + (i / 1000)}.{(((i * EndpointsEach) + e) % 250) + 1}");
        await api.CreateAsync(Slices, SliceOf($"s-{i}", 80 + (i % 1000), addresses), ct);
    }

    private static async Task<IPEndPoint> RealServiceAsync(ClusterApi api, PodView server)
    {
        var service = await api.CreateAsync(Services, JsonNode.Parse("""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"real"},"spec":{"ports":[{"port":80}]} }
            """)!.AsObject(), CancellationToken.None);
        await api.CreateAsync(Slices, SliceOf("real", 80, [server.Addresses.First(a => a.AddressFamily == AddressFamily.InterNetwork).ToString()]), CancellationToken.None);
        return new IPEndPoint(IPAddress.Parse((string)service["spec"]!["clusterIP"]!), 80);
    }

    private static JsonObject SliceOf(string service, int port, IEnumerable<string> addresses) => new()
    {
        ["apiVersion"] = "discovery.k8s.io/v1",
        ["kind"] = "EndpointSlice",
        ["metadata"] = new JsonObject { ["name"] = service, ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = service } },
        ["addressType"] = "IPv4",
        ["ports"] = new JsonArray(new JsonObject { ["name"] = "", ["protocol"] = "TCP", ["port"] = port }),
        ["endpoints"] = new JsonArray([.. addresses.Select(a => new JsonObject
        {
            ["addresses"] = new JsonArray(a), ["nodeName"] = "node1", ["conditions"] = new JsonObject { ["ready"] = true },
        })]),
    };

    private static async Task<PodView> PodAsync(LabCluster cluster, ClusterApi api, string name)
    {
        await api.CreateAsync("/api/v1/namespaces/default/pods", JsonNode.Parse($$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{name}}"},"spec":{"nodeName":"node1","containers":[{"name":"main","image":"none"}]} }
            """)!.AsObject(), CancellationToken.None);
        return await Eventually.Some($"pod {name}", async () =>
            (await cluster.PodsAsync(CancellationToken.None)).FirstOrDefault(p => p.Name == name && p.Ready && p.Netns is not null), TimeSpan.FromSeconds(30));
    }

    private static async Task<(int Flows, int Groups)> CountAsync(OpenFlowSwitch ofSwitch) =>
        (await FlowsAsync(ofSwitch), (await ofSwitch.DumpGroupsAsync()).Length);

    private static async Task<int> FlowsAsync(OpenFlowSwitch ofSwitch) => (int)(await ofSwitch.SumFlowsAsync()).Flows;

    private static async Task<uint> GroupOfAsync(OpenFlowSwitch ofSwitch, string clusterIp)
    {
        var flow = (await ofSwitch.DumpFlowsAsync()).Select(f => f.Flow.ToString()).First(f => f.Contains($"nw_dst={clusterIp},", StringComparison.Ordinal));
        var digits = flow[(flow.IndexOf("group:", StringComparison.Ordinal) + 6)..].TakeWhile(char.IsAsciiDigit);
        return uint.Parse(string.Concat(digits), CultureInfo.InvariantCulture);
    }

    private static async Task<int> BucketsAsync(OpenFlowSwitch ofSwitch, uint group) =>
        (await ofSwitch.GroupStatsAsync(group)).Single().Buckets.Length;

    private static double Megabytes(int pid) => double.Parse(
        File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1024 / 1e6;
}
