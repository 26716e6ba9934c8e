using System.CommandLine;
using System.Net;

namespace Weft.Lab.ApiServer;

/// <summary>The command <c>weft-lab apiserver</c>: one API server in the foreground until it is told to stop.</summary>
public static class ApiServerCommand
{
    public static Command Create()
    {
        var state = new Option<DirectoryInfo>("--state-dir")
        {
            Description = "Folder for certificates, admin.kubeconfig and the journal of objects.",
            Required = true,
        };
        var listen = new Option<string>("--listen")
        {
            Description = "Address and port for HTTPS; port 0 takes a free one.",
            DefaultValueFactory = _ => "127.0.0.1:6443",
        };
        var unix = new Option<string?>("--unix-socket")
        {
            Description = "Also serve plain HTTP, with all rights, on this socket.",
        };
        var serviceCidr = new Option<string>("--service-cidr")
        {
            Description = "Ranges for ClusterIPs, one per family.",
            DefaultValueFactory = _ => ApiServerOptions.DefaultServiceCidr,
        };
        var clusterCidr = new Option<string>("--cluster-cidr")
        {
            Description = "Ranges for pods, one per family; a node gets a /24 and a /64 of them.",
            DefaultValueFactory = _ => ApiServerOptions.DefaultClusterCidr,
        };
        var mode = new Option<AuthorizationMode>("--authorization-mode")
        {
            Description = "RBAC enforces roles; AlwaysAllow lets every known user do everything.",
        };
        var history = new Option<int>("--watch-history")
        {
            Description = "Changes per resource that a watch can resume from.",
            DefaultValueFactory = _ => 50_000,
        };
        var without = new Option<string[]>("--disable-controller")
        {
            Description = $"Controllers to leave out: {string.Join(", ", ControllerNames.All)}.",
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("apiserver", "Serve the Kubernetes API from memory, for the lab and for tests.")
        {
            state, listen, unix, serviceCidr, clusterCidr, mode, history, without,
        };
        command.SetAction(async (result, stop) =>
        {
            ApiServerOptions options;
            try
            {
                options = new ApiServerOptions
                {
                    StateDirectory = result.GetRequiredValue(state).FullName,
                    Listen = IPEndPoint.TryParse(result.GetRequiredValue(listen), out var endPoint) ? endPoint
                        : throw new ArgumentException($"--listen {result.GetValue(listen)}: give ADDRESS:PORT, for example 127.0.0.1:6443"),
                    UnixSocket = result.GetValue(unix),
                    ServiceCidrs = CidrRange.ParseList("--service-cidr", result.GetRequiredValue(serviceCidr)),
                    ClusterCidrs = CidrRange.ParseList("--cluster-cidr", result.GetRequiredValue(clusterCidr)),
                    Authorization = result.GetValue(mode),
                    WatchHistory = result.GetValue(history),
                    DisabledControllers = ControllerNames.Check(result.GetValue(without) ?? []),
                };
            }
            catch (ArgumentException e)
            {
                await Console.Error.WriteLineAsync(e.Message);
                return 2;
            }

            await using var server = new ApiServerHost(options);
            await server.StartAsync(stop);
            await Console.Out.WriteLineAsync($"serving {server.Url}, kubeconfig {server.KubeconfigPath}");
            await server.WaitForStopAsync(stop);
            return 0;
        });
        return command;
    }
}
