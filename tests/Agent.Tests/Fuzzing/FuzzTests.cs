using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.CniServer;
using Weft.Agent.CniServer.Leases;
using Weft.Agent.Tests.CniServer;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Agent.Tests.Fuzzing;

/// <summary>Mutated input gets clear errors: never an unexpected one, never a hang. <c>scripts/bench fuzz</c> and WEFT_TEST_FULL=1 run a million of each.</summary>
public sealed class FuzzTests
{
    private static bool Full => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1";

    [Test]
    public async Task Mutated_requests_get_clear_errors_only()
    {
        var seed = Environment.TickCount;
        var fuzzer = new CniFuzzer(seed);
        var findings = await fuzzer.RunAsync(Full ? 1_000_000 : 30_000);
        TestContext.Out.WriteLine(string.Join(", ", fuzzer.Codes.Select(c => $"code {c.Key}: {c.Value}")));
        Assert.That(findings, Is.Empty, $"seed {seed}");
        Assert.That(fuzzer.Codes.Keys, Is.SupersetOf(new[] { 1, 4, 6, 7 }));
    }

    [Test]
    public async Task Mutated_lines_get_one_answer_each()
    {
        var seed = Environment.TickCount;
        var mutator = new TextMutator(new Random(seed));
        await using var bench = await CniBench.StartAsync();
        for (var i = 0; i < (Full ? 100_000 : 2_000); i++)
        {
            // Only commands that do no work in the kernel, so that a mutation that stays valid is quick.
            var line = mutator.Characters(JsonSerializer.Serialize(bench.Request("STATUS"), TopologyJson.Default.CniRequest), 3).Replace('\n', ' ');
            var answer = await bench.SendAsync(line).WaitAsync(TimeSpan.FromSeconds(20));
            Assert.That(() => JsonSerializer.Deserialize(answer, TopologyJson.Default.CniReply), Is.Not.Null, $"seed {seed}: {line}");
        }

        Assert.That((await bench.CallAsync("ADD")).ExitCode, Is.Zero);
    }

    [Test]
    public void Mutated_frames_of_the_node_stream_are_refused_or_planned_around_and_leave_no_trace()
    {
        var seed = Environment.TickCount;
        var fuzzer = new FrameFuzzer(seed);
        var count = Full ? 1_000_000 : 30_000;
        var findings = fuzzer.Run(count);
        TestContext.Out.WriteLine($"{count} lines, {fuzzer.Refused} refused, after {fuzzer.NotPlanned} something could not be planned");
        Assert.That(findings, Is.Empty, $"seed {seed}");
        Assert.That((fuzzer.Refused > count / 20, fuzzer.NotPlanned > count / 1000), Is.EqualTo((true, true)), "the mutations go deep enough");
    }

    [Test]
    public void Mutated_DNS_packets_are_questions_or_nothing()
    {
        var seed = Environment.TickCount;
        var fuzzer = new DnsFuzzer(seed);
        var count = Full ? 1_000_000 : 100_000;
        var findings = fuzzer.Run(count);
        TestContext.Out.WriteLine($"{count} packets, {fuzzer.Taken} taken as questions");
        Assert.That(findings, Is.Empty, $"seed {seed}");
        Assert.That(fuzzer.Taken, Is.GreaterThan(count / 20));
    }

    [Test]
    public void Mutated_lease_journals_open_and_give_no_address_to_two()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var folder = new TemporaryFolder("/dev/shm");
        var path = folder.File("leases.journal");
        var good = Enumerable.Range(2, 6).SelectMany(i => new LeaseRecord { Give = new Lease { ContainerId = $"c{i}", IfName = "eth0", Pod = $"default/p{i}", Addresses = [$"10.10.0.{i}", $"fd00::{i}"] }, At = i }.Encode()).ToArray();
        for (var i = 0; i < (Full ? 1_000_000 : 3_000); i++)
        {
            var bytes = good.ToList();
            for (var times = random.Next(1, 5); times > 0; times--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(3))
                {
                    case 0:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes.RemoveRange(at, random.Next(1, Math.Min(60, bytes.Count - at) + 1));
                        break;
                    default:
                        bytes.InsertRange(at, bytes.GetRange(0, random.Next(1, bytes.Count + 1)));
                        break;
                }

                bytes.AddRange(bytes.Count == 0 ? good : []);
            }

            File.WriteAllBytes(path, [.. bytes]);
            using var leases = LeaseStore.Open(path, TimeSpan.Zero, TimeProvider.System, NullLogger.Instance);
            Assert.That(leases.Leases.SelectMany(l => l.Addresses), Is.Unique, $"seed {seed}, journal {i}");
        }
    }
}
