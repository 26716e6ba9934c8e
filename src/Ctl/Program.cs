using System.CommandLine;
using Weft.Ctl;
using Weft.Ctl.Clusters;
using Weft.Ctl.Commands;
using Weft.Ctl.OpenFlow;
using Weft.Ctl.Policies;

// One class per command, each with a static Create(). Keep them in the order of the help text.
var root = new RootCommand("Looks into a Weft network: the cluster's topology, a node's flows, and the protocols between them.")
{
    StatusCommand.Create(),
    TopologyCommand.Create(),
    FlowsCommand.Create(),
    TraceCommand.Create(),
    VerifyCommand.Create(),
    PolicyCommand.Create(),
    CaptureCommand.Create(),
    OpenFlowCommand.Create(),
    BundleCommand.Create(),
    CompletionCommand.Create(),
};
foreach (var option in ClusterOptions.All)
{
    root.Options.Add(option);
}

var parsed = root.Parse(args);
var code = await parsed.InvokeAsync();
return parsed.Errors.Count > 0 ? ExitCodes.Usage : code;
