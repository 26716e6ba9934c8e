namespace Weft.Topology;

/// <summary>What the plugin sends to the agent, one JSON line (UTF-8, ended by <c>\n</c>).</summary>
/// <remarks>This file is compiled into the plugin as well, which targets another framework: it uses nothing else of this project.</remarks>
public sealed record CniRequest
{
    /// <summary>The version of this exchange. An agent refuses what it does not know.</summary>
    public int Version { get; set; } = 1;

    /// <summary><c>CNI_COMMAND</c>.</summary>
    public string Command { get; set; } = "";

    /// <summary><c>CNI_CONTAINERID</c>, or empty.</summary>
    public string ContainerId { get; set; } = "";

    /// <summary><c>CNI_NETNS</c>, or empty.</summary>
    public string Netns { get; set; } = "";

    /// <summary><c>CNI_IFNAME</c>, or empty.</summary>
    public string IfName { get; set; } = "";

    /// <summary><c>CNI_ARGS</c>, or empty.</summary>
    public string Args { get; set; } = "";

    /// <summary><c>CNI_PATH</c>, or empty.</summary>
    public string Path { get; set; } = "";

    /// <summary>Standard input, unchanged.</summary>
    public string Config { get; set; } = "";
}

/// <summary>What the agent answers, one JSON line.</summary>
public sealed record CniReply
{
    /// <summary>The plugin's exit code: 0, or not 0 with a CNI error in <see cref="Output"/>.</summary>
    public int ExitCode { get; set; }

    /// <summary>The exact text for the plugin's standard output.</summary>
    public string Output { get; set; } = "";
}
