using Microsoft.Extensions.Logging;
using Weft.Agent;
using Weft.Agent.NodeCommands;

using var stop = new CancellationTokenSource();
using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, signal =>
{
    // The agent itself ends by its host.
    if (args is ["wait", ..])
    {
        signal.Cancel = true;
        stop.Cancel();
    }
});
if (await NodeCommand.TryRunAsync(args, stop.Token) is { } code)
{
    return code;
}

if (args is not ["--config", var path, .. var more] || more is not ([] or ["--verify"]))
{
    Console.Error.WriteLine(NodeCommand.Usage);
    return 2;
}

AgentOptions options;
try
{
    options = AgentOptions.Load(path);
}
catch (AgentConfigurationException e)
{
    Console.Error.WriteLine($"weft-agent: {e.Message}");
    return 2;
}

if (more.Length > 0)
{
    using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
    var differences = await Verification.RunAsync(options, limit.Token);
    foreach (var difference in differences)
    {
        Console.WriteLine(difference);
    }

    return differences.Count == 0 ? 0 : 1;
}

await AgentWiring.RunAsync(options, path);
return 0;
