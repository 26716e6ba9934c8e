using System.CommandLine;
using Weft.Ctl.OpenFlow;

// One class per command, each with a static Create(). Keep them in the order of the help text.
var root = new RootCommand("Looks into a Weft network: the cluster's topology, a node's flows, and the protocols between them.")
{
    OpenFlowCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
