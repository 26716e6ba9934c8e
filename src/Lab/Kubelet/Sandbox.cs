using System.Security.Cryptography;
using System.Text;
using Weft.Lab.Net;

namespace Weft.Lab.Kubelet;

/// <summary>One try to run a pod: a network namespace and a container id, never used again.</summary>
public sealed record Sandbox(string Namespace, string Name, string Uid, int Attempt, Netns Netns)
{
    /// <summary>The addresses that it asks for; none: any.</summary>
    public IReadOnlyList<string> Ips { get; init; } = [];

    /// <summary>The pod's annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>();

    /// <summary>64 hex digits, as runtimes have them.</summary>
    public string ContainerId { get; } =
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Netns.Name}/{Uid}/{Attempt}")));
}
