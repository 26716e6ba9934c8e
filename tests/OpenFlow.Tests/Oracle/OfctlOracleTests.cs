using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>The installed ovs-ofctl reads what we write, and we read what it reads, on flows made from the tables.</summary>
public sealed class OfctlOracleTests
{
    private static readonly int Count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 50_000 : 6_000;

    private static List<Flow> Generated()
    {
        var generator = new CaseGenerator(20);
        return [.. Enumerable.Range(0, Count).Select(generator.Next)];
    }

    [Test]
    public async Task Ovs_ofctl_prints_our_bytes_as_we_do()
    {
        var flows = Generated();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "messages");
        await using (var stream = File.Create(file))
        {
            for (var i = 0; i < flows.Count; i++)
            {
                stream.Write(FlowMod.Add(flows[i]).ToBytes((uint)i + 1));
            }
        }

        var theirs = Lines(await ChildProcess.RunAsync("ovs-ofctl", ["ofp-parse", file]));
        var ours = flows.Select((f, i) => MessageText.Format(FlowMod.Add(f).ToBytes((uint)i + 1)).TrimEnd()).ToList();
        Compare(ours, theirs);
    }

    [Test]
    public async Task Ovs_ofctl_parses_our_text_as_we_do()
    {
        var flows = Generated();
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "flows");
        await File.WriteAllLinesAsync(file, flows.Select(f => ForParsing(FlowText.Format(f))));
        var output = await ChildProcess.RunAsync("ovs-ofctl", ["-O", "OpenFlow13", "parse-flows", file]);
        var theirs = Lines(output).Where(l => l.StartsWith("OFPT_FLOW_MOD", StringComparison.Ordinal)).Select(WithoutHead).ToList();
        var ours = flows.Select(f => WithoutHead(MessageText.Format(FlowMod.Add(FlowText.Parse(FlowText.Format(f))).ToBytes(1)).TrimEnd())).ToList();
        Compare(ours, theirs);
    }

    [Test]
    public async Task Ovs_ofctl_decodes_our_actions_as_we_do()
    {
        var lists = Generated().Select(f => f.Instructions.Applied).Where(a => !a.IsEmpty).Concat(Rare().Where(a => a.ToArray()[0] is not WriteMetadataAction)).ToList();
        var theirs = (await ChildProcess.RunAsync("ovs-ofctl", ["-voff", "parse-actions", "OpenFlow13"], input: string.Concat(lists.Select(a => Convert.ToHexString(a.Encoded) + "\n"))))
            .Split('\n').Where(l => l.StartsWith("actions=", StringComparison.Ordinal) || l.StartsWith("bad", StringComparison.Ordinal)).ToList();
        Compare([.. lists.Select(a => $"actions={a}")], theirs);
    }

    [Test]
    public void Every_kind_of_action_is_among_the_generated()
    {
        var seen = new HashSet<Type>();
        foreach (var actions in Generated().SelectMany(f => f.Instructions.Instructions).Select(i => i switch { ApplyActions apply => apply.Actions, WriteActions write => write.Actions, _ => default }).Concat(Rare()))
        {
            See(actions);
        }

        var known = typeof(FlowAction).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(FlowAction)) && !t.IsAbstract).Except([typeof(UnknownAction)]);
        Assert.That(known.Except(seen), Is.Empty);

        void See(ActionList actions)
        {
            foreach (var action in actions)
            {
                seen.Add(action.GetType());
                if (action is Conntrack { Nat: not null })
                {
                    seen.Add(typeof(Nat));
                }

                See(action switch { Clone clone => clone.Actions, Conntrack ct => ct.Exec, _ => default });
            }
        }
    }

    /// <summary>Actions of older versions and other forms that a switch may send, which have no text of their own kind.</summary>
    private static IEnumerable<ActionList> Rare()
    {
        foreach (var field in Enum.GetValues<OlderField>())
        {
            yield return ActionList.Of(new SetOlderField(field, field == OlderField.IpEcn ? 3u : 4u));
        }

        yield return ActionList.Of(new SetTunnel(5));
        yield return ActionList.Of(new SetTunnel(5) { IsWide = true });
        yield return ActionList.Of(new SetTunnel(ulong.MaxValue));
        yield return ActionList.Of(new WriteMetadataAction(5, 0xff));
        yield return ActionList.Of(new WriteMetadataAction(5, ulong.MaxValue));
    }

    [Test]
    public void Text_and_bytes_lead_back_to_the_same_flow()
    {
        var flows = Generated();
        Assert.Multiple(() =>
        {
            foreach (var flow in flows)
            {
                var decoded = (FlowMod)MessageCodec.Decode(FlowMod.Add(flow).ToBytes(7), out _);
                Assert.That(decoded, Is.EqualTo(FlowMod.Add(flow)));
                Assert.That(FlowText.Parse(FlowText.Format(flow)), Is.EqualTo(flow).Or.Matches<Flow>(f => SameInText(f, flow)), FlowText.Format(flow));
            }
        });
    }

    /// <summary>As it is printed, but for names that ovs-ofctl prints and does not read.</summary>
    private static string ForParsing(string flow) => flow.Replace(",gtpu_", ",tun_gtpu_", StringComparison.Ordinal);

    /// <summary>Text does not tell a load2 from a load, nor padding of notes; what it tells must come back.</summary>
    private static bool SameInText(Flow a, Flow b) => a.ToString() == b.ToString();

    private static List<string> Lines(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.TrimEnd())];

    private static string WithoutHead(string line) => line[(line.IndexOf("): ", StringComparison.Ordinal) + 3)..];

    private static void Compare(List<string> ours, List<string> theirs)
    {
        Assert.That(theirs, Has.Count.EqualTo(ours.Count), string.Join('\n', theirs.Where(l => l.Contains("***", StringComparison.Ordinal)).Take(10)
            .Select(l => l + "\n" + ours.Find(o => o.StartsWith(l.Split(':')[0], StringComparison.Ordinal)))));
        var different = ours.Zip(theirs).Where(p => p.First != p.Second).ToList();
        Assert.That(different, Is.Empty, $"{different.Count} differ, first ours then theirs:\n{string.Join('\n', different.Take(12).Select(p => p.First + "\n" + p.Second + "\n"))}");
    }
}
