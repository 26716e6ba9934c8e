using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.Agent.CniServer.Leases;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>Mutated requests get clear errors: never an unexpected one, never a hang, never a lease.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Fragments =
    [
        "null", "{}", "[]", "\"\"", "-1", "1e999", "\"\\ud800\"", "true", "\\u0000", "\"cniVersion\":\"1.1.0\"", "\"prevResult\":{}", "\"ips\":[\"::1\"]", "99999999999999999999",
        "\"runtimeConfig\":{\"mac\":\"0a:58:00:00:00:01\"}", "\"cni.dev/valid-attachments\":[{}]", "DEL", "CHECK", "GC", "STATUS", "VERSION", "\ud83d\ude00", "\t", "0.3.1", ";", "=", "/", "..",
    ];

    [Test]
    public async Task Mutated_requests_get_clear_errors_only()
    {
        var count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 1_000_000 : 30_000;
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        using var leases = LeaseStore.Open(folder.File("leases.journal"), TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
        using var links = new PodLinks(null);
        var network = new FakePodNetwork { OnAttach = (_, _) => throw new PodNetworkException(CniErrorCode.TryAgainLater, "not in this test") };
        var commands = new CniCommands(network, leases, links, new CniLimits(), NullLogger.Instance);
        var codes = new SortedDictionary<int, int>();
        for (var i = 0; i < count; i++)
        {
            var request = Request(random);
            var reply = await commands.ExecuteAsync(request, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
            var code = reply.ExitCode == 0 ? 0 : JsonDocument.Parse(reply.Output).RootElement.GetProperty("code").GetInt32();
            codes[code] = codes.GetValueOrDefault(code) + 1;
            Assert.That(code, Is.Not.EqualTo(CniErrorCode.Unexpected), $"seed {seed}, request {i}: {JsonSerializer.Serialize(request, TopologyJson.Default.CniRequest)}: {reply.Output}");
            Assert.That(leases.Leases, Is.Empty, $"seed {seed}, request {i}");
        }

        TestContext.Out.WriteLine(string.Join(", ", codes.Select(c => $"code {c.Key}: {c.Value}")));
        Assert.That(codes.Keys, Is.SupersetOf(new[] { 1, 4, 6, 7 }));
    }

    [Test]
    public async Task Mutated_lines_get_one_answer_each()
    {
        var count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 100_000 : 2_000;
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await using var bench = await CniBench.StartAsync();
        for (var i = 0; i < count; i++)
        {
            // Only commands that do no work in the kernel, so that a mutation that stays valid is quick.
            var line = Mutate(random, JsonSerializer.Serialize(bench.Request("STATUS"), TopologyJson.Default.CniRequest), 3).Replace('\n', ' ');
            var answer = await bench.SendAsync(line).WaitAsync(TimeSpan.FromSeconds(20));
            Assert.That(() => JsonSerializer.Deserialize(answer, TopologyJson.Default.CniReply), Is.Not.Null, $"seed {seed}: {line}");
        }

        Assert.That((await bench.CallAsync("ADD")).ExitCode, Is.Zero);
    }

    private static CniRequest Request(Random random)
    {
        // The namespace does not exist: nothing that stays valid touches this machine's interfaces.
        var request = new CniRequest
        {
            Command = random.Next(4) switch { 0 => "ADD", 1 => "CHECK", 2 => "STATUS", _ => "VERSION" },
            ContainerId = "c1",
            IfName = "eth0",
            Netns = "/run/netns/none-such",
            Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_UID=u1",
            Config = """{"cniVersion":"1.1.0","name":"weft","type":"weft-cni","runtimeConfig":{"ips":["10.10.0.9/24"],"mac":"0a:58:0a:0a:00:09"},"dns":{"nameservers":["10.96.0.10"]},"cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}],"prevResult":{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/none-such"}],"ips":[{"interface":0,"address":"10.10.0.9/24"}]}}""",
        };
        return random.Next(6) switch
        {
            0 => request with { ContainerId = Mutate(random, request.ContainerId, 2) },
            1 => request with { IfName = Mutate(random, request.IfName, 2) },
            2 => request with { Netns = Mutate(random, request.Netns, 1) },
            3 => request with { Args = Mutate(random, request.Args, 3) },
            4 => request with { Command = Mutate(random, request.Command, 1) },
            _ => request with { Config = Mutate(random, request.Config, random.Next(1, 6)) },
        };
    }

    private static string Mutate(Random random, string text, int times)
    {
        var result = new StringBuilder(text);
        for (var i = 0; i < times; i++)
        {
            var at = random.Next(result.Length + 1);
            switch (random.Next(5))
            {
                case 0 when at < result.Length:
                    result[at] = (char)random.Next(1, 0x180);
                    break;
                case 1 when at < result.Length:
                    result.Remove(at, random.Next(1, Math.Min(20, result.Length - at) + 1));
                    break;
                case 2:
                    result.Insert(at, Fragments[random.Next(Fragments.Length)]);
                    break;
                case 3:
                    result.Insert(at, new string((char)random.Next(0x20, 0x7f), random.Next(1, 300)));
                    break;
                default:
                    result.Length = at;
                    break;
            }
        }

        return result.ToString();
    }
}
