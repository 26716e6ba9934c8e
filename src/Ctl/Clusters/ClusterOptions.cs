using System.CommandLine;

namespace Weft.Ctl.Clusters;

/// <summary>The options of every command that looks into a cluster: which one.</summary>
public static class ClusterOptions
{
    private const string DefaultLab = "weft";

    private static readonly Option<string?> Lab = new("--lab") { Description = "A lab of this machine by its name (scripts/lab --name NAME)", Recursive = true };

    private static readonly Option<string?> Kubeconfig = new("--kubeconfig") { Description = "A kubeconfig file of a real cluster", Recursive = true };

    private static readonly Option<string?> Context = new("--context") { Description = "A context of the kubeconfig", Recursive = true };

    private static readonly Option<string> System = new("--system-namespace")
    {
        Description = "Where Weft is installed", DefaultValueFactory = _ => "weft-system", Recursive = true,
    };

    /// <summary>All of them, for the root command.</summary>
    public static IEnumerable<Option> All => [Lab, Kubeconfig, Context, System];

    /// <summary>Opens the cluster that the command line names.</summary>
    /// <remarks>Without options: the lab <c>weft</c> when it is up, else what kubectl would take.</remarks>
    /// <exception cref="CtlException">There is no such lab.</exception>
    public static ICluster Open(ParseResult result)
    {
        var (lab, kubeconfig, context) = (result.GetValue(Lab), result.GetValue(Kubeconfig), result.GetValue(Context));
        if (lab is not null)
        {
            return new LabAccess(lab);
        }

        return kubeconfig is null && context is null && Environment.GetEnvironmentVariable("KUBECONFIG") is null && LabAccess.Exists(DefaultLab)
            ? new LabAccess(DefaultLab)
            : new KubectlAccess(kubeconfig, context, result.GetValue(System)!);
    }
}
