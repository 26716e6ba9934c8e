using System.Diagnostics;
using System.Threading.Channels;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Bench.ControllerBench;

/// <summary>From the first event to the state that every node can be served from.</summary>
internal static class InitialComputation
{
    private const int Batch = 1024;

    public static async Task RunAsync(string name, ClusterShape shape, double peerSeconds, double peerMegabytes)
    {
        var network = new LogicalNetwork(new ClusterSettings { Id = ClusterSettings.TheId });
        var publisher = new Publisher(network);
        var clock = Stopwatch.StartNew();
        await FillAsync(publisher, shape);
        publisher.MarkSynced();
        var seconds = clock.Elapsed.TotalSeconds;
        new Figure($"controller-{name}-time", seconds, peerSeconds, "s").Print();
        new Figure($"controller-{name}-memory", Figure.PeakMegabytes(), peerMegabytes, "MB").Print();

        Console.Error.WriteLine($"{name}: {Environment.CpuUsage.TotalTime.TotalSeconds:0.00} s of processor time since the process started");
        // The state is there: read every node's slice once, outside of the measured time.
        clock.Restart();
        var items = Enumerable.Range(0, ClusterShape.NodeCount).Sum(i => (long)network.Snapshot($"node-{i}").Count);
        Console.Error.WriteLine($"{name}: {network.PodCount} pods, {network.PolicyCount} policies, {items} items in {ClusterShape.NodeCount} slices, read in {clock.Elapsed.TotalSeconds:0.00} s");
    }

    /// <summary>Feeds a publisher as the watches do: one producer per kind, one consumer that applies batches.</summary>
    public static async Task FillAsync(Publisher publisher, ClusterShape shape)
    {
        var changes = Channel.CreateBounded<Action<LogicalNetwork>>(new BoundedChannelOptions(16 * Batch) { SingleReader = true });
        var consumer = ConsumeAsync(changes.Reader, publisher);
        await Task.WhenAll(
            ProduceAsync<V1Node>(shape.Nodes, changes.Writer, (n, o) => n.Upsert(o)),
            ProduceAsync<V1Namespace>(shape.Namespaces, changes.Writer, (n, o) => n.Upsert(o)),
            ProduceAsync<V1Pod>(shape.Pods, changes.Writer, (n, o) => n.Upsert(o)),
            ProduceAsync<V1NetworkPolicy>(shape.Policies, changes.Writer, (n, o) => n.Upsert(o)));
        changes.Writer.Complete();
        await consumer;
    }

    private static Task ProduceAsync<T>(IEnumerable<T> objects, ChannelWriter<Action<LogicalNetwork>> changes, Action<LogicalNetwork, T> upsert) => Task.Run(async () =>
    {
        foreach (var item in objects)
        {
            await changes.WriteAsync(network => upsert(network, item));
        }
    });

    private static Task ConsumeAsync(ChannelReader<Action<LogicalNetwork>> changes, Publisher publisher) => Task.Run(async () =>
    {
        var batch = new List<Action<LogicalNetwork>>(Batch);
        while (await changes.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < Batch && changes.TryRead(out var change))
            {
                batch.Add(change);
            }

            publisher.Apply(network => batch.ForEach(change => change(network)));
        }
    });
}
