using Weft.Bench;
using Weft.Bench.ControllerBench;
using Weft.Bench.NodeBench;
using Weft.Bench.OpenFlowBench;
using Weft.Bench.OvsdbBench;
using Weft.Bench.PolicyBench;
using Weft.Bench.ServicesBench;

// One line per benchmark: its name, what it measures, what runs it.
(string Name, string About, Func<string[], Task<int>> Run)[] benchmarks =
[
    ("controller", "computing and publishing the logical network at 100,000 pods, and 5,000 agents", ControllerBenchmark.RunAsync),
    ("openflow", "installing and dumping 100,000 flows beside ovs-ofctl, and the codec by itself", OpenFlowBenchmark.RunAsync),
    ("cni", "ADD and DEL beside the standard bridge and host-local plugins", CniBenchmark.RunAsync),
    ("policy", "what policies cost an agent and its switch, and the delay from the API server to the first packet", PolicyBenchmark.RunAsync),
    ("services", "10,000 Services with 50,000 endpoints on one node: install, change, new connections, memory", ServicesBenchmark.RunAsync),
    ("datapath", "pods' traffic beside the same switch with one NORMAL flow, on one node and through the tunnel", DatapathBenchmark.RunAsync),
    ("restart", "a restarted agent until it is in sync, with 10,000 Services and 1,000 policies", RestartBenchmark.RunAsync),
    ("fuzz", "ten million damaged OpenFlow messages, or as many as the argument says, and a tenth as many CNI requests, node-state lines and DNS packets each", FuzzAsync),
    ("ovsdb", "loading 100,000 rows and committing, beside ovsdb-client and the Python IDL", OvsdbBenchmark.RunAsync),
];

if (args.Length == 0 || benchmarks.FirstOrDefault(b => b.Name == args[0]) is not { Run: { } run })
{
    foreach (var (name, about, _) in benchmarks)
    {
        Console.WriteLine($"{name,-12} {about}");
    }

    return args.Length == 0 ? 0 : 2;
}

return await run(args[1..]);

static async Task<int> FuzzAsync(string[] args)
{
    var count = args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 10_000_000;
    var openFlow = await FuzzBenchmark.RunAsync(args);
    return await NodeFuzz.RunAsync(count / 10) + openFlow == 0 ? 0 : 1;
}
