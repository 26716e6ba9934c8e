using Microsoft.Extensions.Logging;
using Weft.Agent;

if (args is not ["--config", var path, .. var more] || more is not ([] or ["--verify"]))
{
    Console.Error.WriteLine("""
        usage: weft-agent --config FILE [--verify]

        --verify  Runs no agent, but compares what the switch and the host hold with what an agent would plan from nothing: from the last
                  node state on disk and the ports in OVSDB. Prints each difference, changes nothing, ends with 1 when there are any.
        """);
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
