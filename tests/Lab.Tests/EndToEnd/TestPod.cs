using System.Net;
using System.Net.Sockets;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>A running pod of a test.</summary>
public sealed record TestPod(TestLab Lab, PodView View, string Uid)
{
    public string Name => View.Name;

    public string Node => View.Node;

    public Netns Netns => View.Netns!;

    public IPAddress V4 => View.Addresses.Single(a => a.AddressFamily == AddressFamily.InterNetwork);

    public IPAddress V6 => View.Addresses.Single(a => a.AddressFamily == AddressFamily.InterNetworkV6);

    /// <summary>Reaches out from the pod.</summary>
    public NetnsProbe Probe => new(Netns);

    /// <summary>Listens in the pod on TCP and UDP port 80 under the pod's name.</summary>
    public Task<ProbeServer> ServeAsync() => ProbeServer.StartAsync(Netns, Name, [80], [80]);

    /// <summary>What <c>ip</c> says of eth0.</summary>
    public async Task<string> MacAsync() =>
        (await TestLab.InAsync(Netns, "ip", "-o", "link", "show", "eth0")).Split("link/ether ")[1].Split(' ')[0];

    public IPAddress Address(AddressFamily family) => family == AddressFamily.InterNetwork ? V4 : V6;

    public override string ToString() => $"{Name} on {Node} ({V4}, {V6})";
}
