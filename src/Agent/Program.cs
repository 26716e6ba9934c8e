using Microsoft.Extensions.Logging;
using Weft.Agent;

if (args is not ["--config", var path])
{
    Console.Error.WriteLine("usage: weft-agent --config FILE");
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

await AgentWiring.RunAsync(options, path);
return 0;
