using System.Net;
using Weft.OpenFlow.Messages;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Requests to forget connections, in the words of ovs-ofctl. Only switches read them, so there is one direction.</summary>
public sealed class FlushConntrackTests
{
    private static IEnumerable<TestCaseData> Requests()
    {
        yield return new TestCaseData(
            new FlushConntrack(17) { Reply = new ConntrackTuple { Source = IPAddress.Parse("10.244.1.5"), SourcePort = 53 } },
            new[] { "ct_nw_src=10.244.1.5", "ct_tp_src=53", "ct_nw_proto=17" });
        yield return new TestCaseData(
            new FlushConntrack(17) { Original = new ConntrackTuple { Destination = IPAddress.Parse("fd00:10:96::a"), DestinationPort = 53 } },
            new[] { "ct_ipv6_dst=fd00:10:96::a", "ct_tp_dst=53", "ct_nw_proto=17" });
        yield return new TestCaseData(
            new FlushConntrack(6)
            {
                Zone = 1000,
                Original = new ConntrackTuple { Source = IPAddress.Parse("10.0.0.1"), Destination = IPAddress.Parse("10.0.0.2"), SourcePort = 1, DestinationPort = 2 },
            },
            new[] { "zone=1000", "ct_nw_src=10.0.0.1", "ct_nw_dst=10.0.0.2", "ct_tp_src=1", "ct_tp_dst=2", "ct_nw_proto=6" });
    }

    [TestCaseSource(nameof(Requests))]
    public async Task Open_vSwitch_reads_what_is_to_be_forgotten(FlushConntrack request, string[] parts)
    {
        var printed = await ChildProcess.RunAsync("ovs-ofctl", ["ofp-print", Convert.ToHexString([.. request.ToBytes(1)])]);
        Assert.That(printed, Does.Contain("NXT_CT_FLUSH"));
        foreach (var part in parts)
        {
            Assert.That(printed, Does.Contain(part));
        }
    }
}
