using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;

namespace Example;

/// <summary>The example of the library's README, as a user of the package compiles it. A test compares the lines.</summary>
internal static class ReadmeExample
{
    public static async Task<List<string>> RunAsync(OpenFlowEndpoint endpoint)
    {
        var printed = new List<string>();

        // README
        await using var sw = new OpenFlowSwitch(endpoint);
        sw.Start();
        await sw.WaitForLiveAsync();
        var web = new Flow(0, 100, Match.Of(Fields.EthType.Is(0x0800), Fields.TcpDst.Is(80)),
            FlowInstructions.Of(Fields.Reg0[0..3].Load(5), new GotoTable(10)));
        var outcome = await sw.ApplyAsync([FlowMod.Add(web)]);    // all or nothing
        outcome.ThrowIfFailed();                                   // says which message failed, and why
        foreach (var flow in await sw.DumpFlowsAsync())
        {
            printed.Add(flow.Flow.ToString());
        }

        // end
        return printed;
    }
}
