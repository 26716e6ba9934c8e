using Weft.Controller;
using Weft.Kubernetes;

try
{
    if (args is ["wait-for-daemonset", "--namespace", var ns, "--name", var name])
    {
        return await CleanupWait.RunAsync(ns, name);
    }

    if (args is not ["--config", var path])
    {
        Console.Error.WriteLine("usage: weft-controller --config FILE | wait-for-daemonset --namespace NAMESPACE --name NAME");
        return 2;
    }

    await using var app = ControllerWiring.Build(ControllerOptions.Load(path), file: path);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is ControllerConfigurationException or KubernetesException or IOException)
{
    Console.Error.WriteLine($"weft-controller: {e.Message}");
    return 1;
}
