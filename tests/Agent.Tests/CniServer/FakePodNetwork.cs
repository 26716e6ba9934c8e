using System.Collections.Concurrent;
using Weft.Agent.CniServer;
using Weft.Topology;

namespace Weft.Agent.Tests.CniServer;

/// <summary>The rest of the agent as the CNI commands see it: a table of attachments, with failures on request.</summary>
internal sealed class FakePodNetwork : IPodNetwork
{
    private readonly ConcurrentDictionary<(string, string), Attachment> _attachments = [];

    public EquatableArray<SwitchSubnet> Subnets { get; set; } = [new("10.10.0.0/24", "10.10.0.1"), new("fd00:10::/64", "fd00:10::1")];

    public EquatableArray<string> FixedAddresses { get; set; } = [];

    public string? FixedMac { get; set; }

    public int Mtu { get; set; } = 1400;

    public bool DisableTxOffload { get; set; } = true;

    public Func<Attachment, CancellationToken, Task> OnAttach { get; set; } = (_, _) => Task.CompletedTask;

    public Func<Task> OnDetach { get; set; } = () => Task.CompletedTask;

    public string? CheckAnswer { get; set; }

    public IReadOnlyCollection<Attachment> Attachments => [.. _attachments.Values];

    public string? NotReadyReason { get; set; }

    public void Put(Attachment attachment) => _attachments[(attachment.ContainerId, attachment.IfName)] = attachment;

    public Task<PodInterfacePlan> FindPodAsync(string podNamespace, string podName, string uid, CancellationToken ct) => podName == "unknown"
        ? throw new PodNetworkException(CniErrorCode.TryAgainLater, $"pod {podNamespace}/{podName} is not known on this node")
        : Task.FromResult(new PodInterfacePlan
        {
            Port = new LogicalPort { Id = $"{podNamespace}/{podName}", Uid = uid, Node = "n1", Switch = "s", Addresses = FixedAddresses, Mac = FixedMac },
            Subnets = Subnets,
            Mtu = Mtu,
            DisableTxOffload = DisableTxOffload,
        });

    public async Task AttachAsync(Attachment attachment, Task interfaceExists, CancellationToken ct)
    {
        await OnAttach(attachment, ct);
        await interfaceExists.WaitAsync(ct);
        Put(attachment);
    }

    public Task IsolateAsync(string containerId, string ifName, CancellationToken ct) => Task.CompletedTask;

    public async Task DetachAsync(string containerId, string ifName, string hostInterface, CancellationToken ct)
    {
        await OnDetach();
        _attachments.TryRemove((containerId, ifName), out _);
    }

    public Task<string?> CheckAsync(string containerId, string ifName, CancellationToken ct) => Task.FromResult(CheckAnswer);
}
