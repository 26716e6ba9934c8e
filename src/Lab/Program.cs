using System.CommandLine;
using Weft.Lab.ApiServer;
using Weft.Lab.Commands;

Terminal.Prepare();
if (await PassThrough.TryRunAsync(args) is { } exit)
{
    return exit;
}

var root = new RootCommand($"A Kubernetes cluster with the Weft network on one machine.\n\nAlso:\n{PassThrough.Help}");
foreach (var symbol in LabCommands.Create())
{
    if (symbol is Command command)
    {
        root.Add(command);
    }
    else if (symbol is Option option)
    {
        root.Add(option);
    }
}

root.Add(ApiServerCommand.Create());
return await root.Parse(args).InvokeAsync();
