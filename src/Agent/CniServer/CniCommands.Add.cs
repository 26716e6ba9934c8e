using System.Diagnostics;
using System.Net;
using Weft.Agent.CniServer.Leases;
using Weft.Agent.Host.Netlink;
using Weft.Topology;

namespace Weft.Agent.CniServer;

internal sealed partial class CniCommands
{
    /// <summary>Every step keeps what is there already, so a repeated ADD gives the same result and a half-done one is completed.
    /// A failure takes back what this call did, and only that.</summary>
    private async Task<string> AddAsync(CniInvocation invocation, CancellationToken ct)
    {
        if (invocation.Config.PreviousResult is not null)
        {
            throw new CniException(
                CniErrorCode.InvalidConfiguration, "prevResult is given to ADD, but this plugin makes the interface", "put it first in the list of plugins");
        }

        var started = Stopwatch.GetTimestamp();
        var plan = await network.FindPodAsync(invocation.PodNamespace, invocation.PodName, invocation.PodUid, ct).ConfigureAwait(false);
        // Read before anything is taken: a bad one leaves nothing to undo.
        var mac = plan.Port.Mac is { } chosen ? PodMac.Normalize(chosen) : invocation.Config.Mac;
        var wasAttached = network.Attachments.Any(a => a.ContainerId == invocation.ContainerId && a.IfName == invocation.IfName);
        var (lease, isNew, durable) = await AcquireAsync(invocation, plan, ct).ConfigureAwait(false);
        var pod = Describe(invocation, plan, lease, mac);
        var takesSpare = isNew && pod.IsSpare;
        var attachment = AttachmentOf(invocation, plan, lease, pod);
        var link = Task.FromResult(false);
        try
        {
            // The disk is waited for last: a power cut would end the pod, too, and until the answer nobody knows its addresses.
            await Task.WhenAll(AttachAsync(pod, attachment, made => link = made, ct), durable).ConfigureAwait(false);
        }
        catch
        {
            await UndoAsync(attachment, wasAttached, linkIsNew: takesSpare || (link.IsCompletedSuccessfully && await link.ConfigureAwait(false)), leaseIsNew: isNew).ConfigureAwait(false);
            throw;
        }

        Log.Added(logger, invocation.Pod, pod.Name, lease.Addresses, pod.HostName, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        return CniResult.Added(invocation, pod);
    }

    private async Task<LeaseGrant> AcquireAsync(CniInvocation invocation, PodInterfacePlan plan, CancellationToken ct)
    {
        var spare = leases.Find(invocation.ContainerId, invocation.IfName) is null ? spares?.TryTake(plan.Mtu) : null;
        try
        {
            return await AcquireAsync(invocation, plan, spare ?? "", ct).ConfigureAwait(false);
        }
        catch when (spare is not null)
        {
            spares!.GiveBack(spare);
            throw;
        }
    }

    private async Task<LeaseGrant> AcquireAsync(CniInvocation invocation, PodInterfacePlan plan, string spare, CancellationToken ct)
    {
        var chosen = plan.Port.Addresses.Select(a => ParseChosen(invocation, a)).ToList();
        var isTenant = !plan.AliasSubnets.IsEmpty;
        var request = new LeaseRequest
        {
            ContainerId = invocation.ContainerId,
            IfName = invocation.IfName,
            Pod = invocation.Pod,
            Configuration = invocation.Config.Name,
            SpareInterface = spare,
            // The controller knows who has which tenant address; what the node leases to such a pod is its alias.
            NetworkKey = isTenant ? Network.DefaultKey : plan.Port.NetworkKey,
            Subnets = isTenant ? plan.AliasSubnets : plan.Subnets,
            Fixed = isTenant ? [] : chosen.Count > 0 ? chosen : invocation.Config.Ips,
            FixedByController = !isTenant && chosen.Count > 0,
        };
        try
        {
            return await leases.GrantAsync(request, ct).ConfigureAwait(false);
        }
        catch (LeaseException e) when (e.Holder is { } holder && holder.Pod == invocation.Pod && holder.IfName == invocation.IfName)
        {
            // A pod has one living sandbox: the runtime forgot to remove the earlier one.
            Log.Superseded(logger, invocation.Pod, holder.ContainerId, invocation.ContainerId);
            using (await _busy.AcquireAsync(holder.Key, ct).ConfigureAwait(false))
            {
                await RemoveAsync(holder.Key, ct).ConfigureAwait(false);
            }

            return await leases.GrantAsync(request, ct).ConfigureAwait(false);
        }
    }

    private static IPAddress ParseChosen(CniInvocation invocation, string address) => IPAddress.TryParse(address, out var parsed)
        ? parsed
        : throw new CniException(CniErrorCode.NoAddress, $"the controller gives pod {invocation.Pod} the address '{address}', which is none", "correct the pod's or subnet's addresses");

    /// <summary>The flows need no interface, the port needs it only to exist: all three are made at the same time.</summary>
    private async Task AttachAsync(PodInterface pod, Attachment attachment, Action<Task<bool>> linkStarted, CancellationToken ct)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var exists = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var port = network.AttachAsync(attachment, exists.Task, together.Token);
        var link = EnsureLinkAsync(pod, exists, together, ct);
        linkStarted(link);
        try
        {
            await Task.WhenAll(link, port).ConfigureAwait(false);
        }
        catch when (link.IsFaulted)
        {
            // The link's failure is the cause of the port's cancellation, never the other way round.
            await link.ConfigureAwait(false);
            throw;
        }
    }

    private async Task<bool> EnsureLinkAsync(PodInterface pod, TaskCompletionSource exists, CancellationTokenSource together, CancellationToken ct)
    {
        try
        {
            return await OnLinksAsync(() => links.Ensure(pod, () => exists.TrySetResult()), ct).ConfigureAwait(false);
        }
        catch
        {
            // Without its interface the port can never work: do not wait for the switch's time limit.
            await together.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Takes back what a failed ADD made. The address is free again only when its interface and port are gone.</summary>
    private async Task UndoAsync(Attachment attachment, bool wasAttached, bool linkIsNew, bool leaseIsNew)
    {
        try
        {
            using var timeout = new CancellationTokenSource(limits.Undo);
            if (!wasAttached)
            {
                await network.DetachAsync(attachment.ContainerId, attachment.IfName, attachment.HostInterface, timeout.Token).ConfigureAwait(false);
            }

            if (linkIsNew)
            {
                await links.DeleteAsync(attachment.HostInterface).ConfigureAwait(false);
            }

            if (leaseIsNew)
            {
                await leases.ReleaseAsync(attachment.ContainerId, attachment.IfName).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // The runtime must learn why ADD failed, not why its undoing did.
            Log.NotUndone(logger, e, attachment.Pod);
        }
    }

    private static PodInterface Describe(CniInvocation invocation, PodInterfacePlan plan, Lease lease, string? mac)
    {
        var isTenant = !plan.AliasSubnets.IsEmpty;
        var addresses = (isTenant ? plan.Port.Addresses : lease.Addresses).Select(IPAddress.Parse).ToList();
        return new PodInterface
        {
            Aliases = isTenant ? lease.Addresses : [],
            HostName = lease.HostInterface,
            IsSpare = lease.SpareInterface.Length > 0,
            Name = invocation.IfName,
            Netns = invocation.Netns,
            Mac = mac ?? PodMac.For(addresses),
            Mtu = plan.Mtu,
            DisableTxOffload = plan.DisableTxOffload,
            EgressLimit = invocation.Config.Bandwidth.Egress,
            Addresses = [.. addresses.Select(a => WithSubnet(a, plan.Subnets))],
        };
    }

    private static PodAddress WithSubnet(IPAddress address, EquatableArray<SwitchSubnet> subnets)
    {
        var range = subnets.Select(s => new AddressRange(s.Cidr, s.Gateway)).FirstOrDefault(r => r.Contains(address));
        var length = range?.PrefixLength ?? (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 32 : 128);
        return new PodAddress(new InterfaceAddress(address, length), range?.Gateway);
    }

    private static Attachment AttachmentOf(CniInvocation invocation, PodInterfacePlan plan, Lease lease, PodInterface pod) => new()
    {
        Pod = invocation.Pod,
        Uid = invocation.PodUid.Length > 0 ? invocation.PodUid : plan.Port.Uid,
        ContainerId = invocation.ContainerId,
        IfName = invocation.IfName,
        Netns = invocation.Netns,
        HostInterface = pod.HostName,
        Mac = pod.Mac,
        Addresses = [.. pod.Addresses.Select(a => a.Address.Address.ToString())],
        Aliases = pod.Aliases,
        IngressLimit = invocation.Config.Bandwidth.Ingress,
        EgressLimit = invocation.Config.Bandwidth.Egress,
        NetworkKey = plan.Port.NetworkKey,
    };
}
