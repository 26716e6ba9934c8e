namespace Weft.Cni;

/// <summary>The versions of the specification that the plugin speaks.</summary>
internal static class CniVersions
{
    /// <summary>Used where the caller's version is not known.</summary>
    public const string Newest = "1.1.0";

    /// <summary>Oldest first. The result of every one of them has the list of addresses that two address families need.</summary>
    public static readonly string[] Supported = ["0.3.1", "0.4.0", "1.0.0", Newest];

    /// <summary>True when <paramref name="version"/> is supported and not older than <paramref name="oldest"/>.</summary>
    public static bool IsAtLeast(string version, string oldest) =>
        Array.IndexOf(Supported, version) >= Array.IndexOf(Supported, oldest);
}
