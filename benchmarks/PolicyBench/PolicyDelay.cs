using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Probes;
using Weft.Lab.State;
using Weft.TestSupport;

namespace Weft.Bench.PolicyBench;

/// <summary>From the API server's answer to the first packet that a policy denies, and from its deletion to the first that passes.</summary>
internal static class PolicyDelay
{
    private const int Changes = 50;
    private const string Policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task RunAsync()
    {
        var options = new LabOptions { Name = $"bp{Environment.ProcessId % 10_000}", Nodes = 2, Manifests = "" };
        var cluster = await LabCluster.UpAsync(options, Console.Error.WriteLine, CancellationToken.None);
        try
        {
            using var api = cluster.ConnectApi();
            var (client, server) = (await PodAsync(api, "client", "node1"), await PodAsync(api, "server", "node2"));
            await using var stream = await Stream.StartAsync(client, server.Addresses.First(a => a.AddressFamily == AddressFamily.InterNetwork));
            var (denied, allowed) = (new List<double>(), new List<double>());
            for (var i = 0; i < Changes; i++)
            {
                await api.CreateAsync(Policies, Deny(), CancellationToken.None);
                denied.Add(await stream.StoppedAfterAsync(Stopwatch.GetTimestamp()));
                await api.DeleteAsync(Policies + "/deny", CancellationToken.None);
                allowed.Add(await stream.PassedAfterAsync(Stopwatch.GetTimestamp()));
            }

            foreach (var (name, all) in new[] { ("denied", denied), ("allowed", allowed) })
            {
                all.Sort();
                new Figure($"policy.accepted_to_first_{name}_packet_p50", all[all.Count / 2], null, "ms").Print();
                new Figure($"policy.accepted_to_first_{name}_packet_p99", all[^1], 300, "ms").Print();
            }
        }
        finally
        {
            await LabRemoval.DownAsync(cluster.Layout, CancellationToken.None);
        }
    }

    private static JsonObject Deny() => new()
    {
        ["apiVersion"] = "networking.k8s.io/v1",
        ["kind"] = "NetworkPolicy",
        ["metadata"] = new JsonObject { ["name"] = "deny" },
        ["spec"] = new JsonObject { ["podSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["app"] = "server" } }, ["policyTypes"] = new JsonArray("Ingress") },
    };

    private static async Task<PodView> PodAsync(ClusterApi api, string name, string node)
    {
        await api.CreateAsync("/api/v1/namespaces/default/pods", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["labels"] = new JsonObject { ["app"] = name } },
            ["spec"] = new JsonObject { ["nodeName"] = node, ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "none" }) },
        }, CancellationToken.None);
        return await Eventually.Some($"pod {name} ready", async () =>
        {
            var view = PodView.Read(await api.GetAsync($"/api/v1/namespaces/default/pods/{name}", CancellationToken.None));
            return view.Ready && view.Addresses.Count > 0 ? view : null;
        }, TimeSpan.FromSeconds(30));
    }

    /// <summary>An echo request every millisecond, with the time at which each was sent that was answered.</summary>
    private sealed class Stream : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentDictionary<ushort, long> _sent = new();
        private readonly Pinger _pinger;
        private readonly Task[] _running;
        private long _lastAnswered;

        private Stream(Pinger pinger)
        {
            _pinger = pinger;
            _running = [Task.Run(SendAsync), Task.Run(ReceiveAsync)];
        }

        public static async Task<Stream> StartAsync(PodView client, IPAddress to)
        {
            var stream = new Stream(await Pinger.OpenAsync(client.Netns!, to));
            await Eventually.True("the first echo", () => Volatile.Read(ref stream._lastAnswered) > 0);
            return stream;
        }

        /// <summary>Milliseconds from <paramref name="since"/> until the last packet that passed was sent.</summary>
        public async Task<double> StoppedAfterAsync(long since)
        {
            await Eventually.True("packets that are denied", () => Stopwatch.GetElapsedTime(Volatile.Read(ref _lastAnswered)) > Quiet, Patience);
            return Math.Max(0, Stopwatch.GetElapsedTime(since, Volatile.Read(ref _lastAnswered)).TotalMilliseconds);
        }

        /// <summary>Milliseconds from <paramref name="since"/> until a packet was sent that passed.</summary>
        public async Task<double> PassedAfterAsync(long since)
        {
            var silent = Volatile.Read(ref _lastAnswered);
            var passed = 0L;
            await Eventually.True("packets that pass", () => (passed = Volatile.Read(ref _lastAnswered)) > silent, Patience);
            return Math.Max(0, Stopwatch.GetElapsedTime(since, passed).TotalMilliseconds);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAll(_running);
            _pinger.Dispose();
            _stop.Dispose();
        }

        private async Task SendAsync()
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
            ushort number = 0;
            try
            {
                while (await timer.WaitForNextTickAsync(_stop.Token))
                {
                    _sent[++number] = Stopwatch.GetTimestamp();
                    await _pinger.SendAsync(number, 56, _stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // The end.
            }
        }

        private async Task ReceiveAsync()
        {
            try
            {
                while (true)
                {
                    var at = _sent[await _pinger.ReceiveAsync(_stop.Token)];
                    if (at > Volatile.Read(ref _lastAnswered))
                    {
                        Volatile.Write(ref _lastAnswered, at);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // The end.
            }
        }
    }
}
