using Weft.Topology;

namespace Weft.Cni;

/// <summary>The <c>CNI_*</c> variables (specification section 2, "Parameters"). Absent variables are empty.</summary>
internal sealed record CniEnvironment
{
    // IFNAMSIZ without the terminating zero.
    private const int LongestInterfaceName = 15;

    public string Command { get; init; } = "";

    public string ContainerId { get; init; } = "";

    public string Netns { get; init; } = "";

    public string IfName { get; init; } = "";

    public string Args { get; init; } = "";

    public string Path { get; init; } = "";

    public static CniEnvironment FromProcess()
    {
        return new CniEnvironment
        {
            Command = Read("CNI_COMMAND"),
            ContainerId = Read("CNI_CONTAINERID"),
            Netns = Read("CNI_NETNS"),
            IfName = Read("CNI_IFNAME"),
            Args = Read("CNI_ARGS"),
            Path = Read("CNI_PATH"),
        };

        static string Read(string name) => Environment.GetEnvironmentVariable(name) ?? "";
    }

    /// <summary>Checks what the command needs: presence first, then form.</summary>
    /// <exception cref="CniError">Code 4, naming the variables.</exception>
    public void Validate()
    {
        string[] needed = Command switch
        {
            "ADD" or "CHECK" => ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
            "DEL" => ["CNI_CONTAINERID", "CNI_IFNAME"],
            "GC" or "STATUS" or "VERSION" => [],
            "" => throw Wrong("CNI_COMMAND is not set", "This program is called by a container runtime; see the CNI specification."),
            _ => throw Wrong($"CNI_COMMAND is '{Command}'", "It must be ADD, DEL, CHECK, GC, STATUS or VERSION."),
        };
        var missing = string.Join(", ", needed.Where(name => ValueOf(name).Length == 0));
        if (missing.Length > 0)
        {
            throw Wrong($"{missing} must be set for {Command}", "Set the variable in the runtime that calls the plugin.");
        }

        if (needed.Length > 0)
        {
            CheckForm();
        }
    }

    /// <summary>What the agent gets.</summary>
    public CniRequest ToRequest(string config) => new()
    {
        Command = Command,
        ContainerId = ContainerId,
        Netns = Netns,
        IfName = IfName,
        Args = Args,
        Path = Path,
        Config = config,
    };

    private void CheckForm()
    {
        if (!char.IsAsciiLetterOrDigit(ContainerId[0]) || !ContainerId.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
        {
            throw Wrong(
                $"CNI_CONTAINERID is '{ContainerId}'",
                "It must begin with a letter or digit and have only letters, digits, '_', '.' and '-'.");
        }

        if (IfName.Length > LongestInterfaceName || IfName is "." or ".." || IfName.Any(c => c is '/' or ':' || char.IsWhiteSpace(c)))
        {
            throw Wrong(
                $"CNI_IFNAME is '{IfName}'",
                $"It must be an interface name: at most {LongestInterfaceName} characters, without '/', ':' and white space.");
        }
    }

    private string ValueOf(string name) => name switch
    {
        "CNI_CONTAINERID" => ContainerId,
        "CNI_NETNS" => Netns,
        _ => IfName,
    };

    private static CniError Wrong(string message, string details) => new(CniErrorCode.InvalidEnvironment, message, details);
}
