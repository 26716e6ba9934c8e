using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.Agent.CniServer.Leases;
using Weft.Agent.Tests.CniServer;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.Fuzzing;

/// <summary>Damages requests of the CNI plugin. Each gets an answer in time, never the code of an unexpected error, and never a lease.</summary>
internal sealed class CniFuzzer(int seed)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Random _random = new(seed);
    private readonly TextMutator _mutator = new(new Random(seed));

    /// <summary>How often each code was answered; 0 is success.</summary>
    public SortedDictionary<int, int> Codes { get; } = [];

    /// <summary>Runs <paramref name="count"/> requests; the findings as text.</summary>
    public async Task<List<string>> RunAsync(int count)
    {
        using var folder = new TemporaryFolder();
        using var leases = LeaseStore.Open(folder.File("leases.journal"), TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        using var links = new PodLinks(null);
        var network = new FakePodNetwork { OnAttach = (_, _) => throw new PodNetworkException(CniErrorCode.TryAgainLater, "not in this test") };
        var commands = new CniCommands(network, leases, links, null, new CniLimits(), NullLogger.Instance);
        var findings = new List<string>();
        for (var i = 0; i < count && findings.Count < 10; i++)
        {
            var request = Request();
            var reply = await commands.ExecuteAsync(request, CancellationToken.None).WaitAsync(Patience);
            var code = reply.ExitCode == 0 ? 0 : JsonDocument.Parse(reply.Output).RootElement.GetProperty("code").GetInt32();
            Codes[code] = Codes.GetValueOrDefault(code) + 1;
            if (code == CniErrorCode.Unexpected || leases.Leases.Count > 0)
            {
                findings.Add($"request {i}, {leases.Leases.Count} leases, {JsonSerializer.Serialize(request, TopologyJson.Default.CniRequest)}: {reply.Output}");
            }
        }

        return findings;
    }

    private CniRequest Request()
    {
        // The namespace does not exist: nothing that stays valid touches this machine's interfaces.
        var request = new CniRequest
        {
            Command = _random.Next(4) switch { 0 => "ADD", 1 => "CHECK", 2 => "STATUS", _ => "VERSION" },
            ContainerId = "c1",
            IfName = "eth0",
            Netns = "/run/netns/none-such",
            Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u1",
            Config = """{"cniVersion":"1.1.0","name":"weft","type":"weft-cni","runtimeConfig":{"ips":["10.10.0.9/24"],"mac":"0a:58:0a:0a:00:09","bandwidth":{"ingressRate":20000000,"ingressBurst":2147483647,"egressRate":10000000,"egressBurst":0}},"dns":{"nameservers":["10.96.0.10"]},"cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}],"prevResult":{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/none-such"}],"ips":[{"interface":0,"address":"10.10.0.9/24"}]}}""",
        };
        return _random.Next(7) switch
        {
            0 => request with { ContainerId = _mutator.Characters(request.ContainerId, 2) },
            1 => request with { IfName = _mutator.Characters(request.IfName, 2) },
            2 => request with { Netns = _mutator.Characters(request.Netns, 1) },
            3 => request with { Args = _mutator.Characters(request.Args, 3) },
            4 => request with { Command = _mutator.Characters(request.Command, 1) },
            5 => request with { Config = _mutator.Json(request.Config, _random.Next(1, 4)) },
            _ => request with { Config = _mutator.Characters(request.Config, _random.Next(1, 6)) },
        };
    }
}
