using System.Net.Sockets;

namespace Weft.Policy.Tests;

/// <summary>One question: does this pod reach that one?</summary>
public readonly record struct Pair(string From, string To, string Port, AddressFamily Family)
{
    public override string ToString() => $"{From} -> {To} {Port} {(Family == AddressFamily.InterNetwork ? "v4" : "v6")}";
}
