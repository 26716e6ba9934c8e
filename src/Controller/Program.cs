using Weft.Controller;
using Weft.Kubernetes;

if (args is not ["--config", var path])
{
    Console.Error.WriteLine("usage: weft-controller --config FILE");
    return 2;
}

try
{
    await using var app = ControllerWiring.Build(ControllerOptions.Load(path), file: path);
    await app.RunAsync();
    return 0;
}
catch (Exception e) when (e is ControllerConfigurationException or KubernetesException or IOException)
{
    Console.Error.WriteLine($"weft-controller: {e.Message}");
    return 1;
}
