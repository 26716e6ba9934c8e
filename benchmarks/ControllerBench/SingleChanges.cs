using System.Diagnostics;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Bench.ControllerBench;

/// <summary>d) One change at the size of a), with every node followed: the time to compute it and to make the deltas of the nodes it concerns.</summary>
internal static class SingleChanges
{
    private const int Times = 500;
    private const double MarkMilliseconds = 2;

    public static void Run()
    {
        var network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });
        var shape = ClusterShape.SmallNamespaces(25_000);
        InitialComputation.FillAsync(new Publisher(network), shape).GetAwaiter().GetResult();
        foreach (var node in network.NodeNames.ToArray())
        {
            network.Snapshot(node);
        }

        network.Upsert(Service());
        network.Upsert(Slice(0));
        network.Commit();
        var pods = Enumerable.Range(0, Times).Select(i => shape.Pod($"ns-{i * 7}", "extra", "app-1", "scale-1")).ToArray();
        Measure("pod-created", network, i => network.Upsert(pods[i]));
        Measure("pod-relabelled", network, i =>
        {
            pods[i].Metadata.Labels = new() { ["app-2"] = "scale-2" };
            network.Upsert(pods[i]);
        });
        Measure("pod-deleted", network, i => network.RemovePod(ObjectKey.Of(pods[i])));
        Measure("policy-changed", network, i => network.Upsert(ClusterShape.Policy($"ns-{i * 7}", "np-1", "app-2", "scale-2")));
        Measure("endpoint-changed", network, i => network.Upsert(Slice(i + 1)));
    }

    private static void Measure(string name, LogicalNetwork network, Action<int> change)
    {
        var times = new double[Times];
        var work = network.Work;
        for (var i = 0; i < Times; i++)
        {
            var before = network.Revision;
            var start = Stopwatch.GetTimestamp();
            change(i);
            foreach (var node in network.Commit().Nodes)
            {
                network.Since(node, before);
            }

            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Array.Sort(times);
        new Figure($"controller-d-{name}", times[Times / 2], MarkMilliseconds, "ms").Print();
        Console.Error.WriteLine($"{name}: 99th percentile {times[Times * 99 / 100]:0.000} ms, {(network.Work - work) / (double)Times:0.0} objects computed");
    }

    private static V1Service Service() => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "ns-0", Name = "s" },
        Spec = new V1ServiceSpec { ClusterIPs = ["10.96.0.1"], Ports = [new V1ServicePort { Name = "web", Port = 80 }] },
    };

    private static V1EndpointSlice Slice(int changed) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "ns-0", Name = "s-1", Labels = new() { ["kubernetes.io/service-name"] = "s" } },
        AddressType = "IPv4",
        Ports = [new V1EndpointPort { Name = "web", Port = 8080 }],
        Endpoints = Enumerable.Range(0, 100).Select(i => new V1Endpoint { Addresses = [$"10.1.{(i == 0 ? changed / 256 : 200)}.{(i == 0 ? changed % 256 : i)}"], NodeName = "node-1" }).ToList(),
    };
}
