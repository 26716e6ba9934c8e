namespace Weft.Agent.CniServer;

/// <summary>The versions of the CNI specification that are spoken, and what differs between them.</summary>
internal static class CniVersions
{
    public const string Newest = "1.1.0";

    public static readonly string[] Supported = ["0.3.1", "0.4.0", "1.0.0", Newest];

    public static bool IsSupported(string? version) => Array.IndexOf(Supported, version) >= 0;

    /// <summary>Up to 0.4.0 each address says its family in a <c>version</c> field.</summary>
    public static bool AddressesHaveVersion(string version) => version is "0.3.1" or "0.4.0";

    /// <summary>From 1.1.0 on interfaces say their MTU.</summary>
    public static bool InterfacesHaveMtu(string version) => version == Newest;

    /// <summary>Whether a version knows a command: CHECK came with 0.4.0, GC and STATUS with 1.1.0.</summary>
    public static bool Knows(string version, string command) => command switch
    {
        "CHECK" => version != "0.3.1",
        "GC" or "STATUS" => version == Newest,
        _ => true,
    };
}
