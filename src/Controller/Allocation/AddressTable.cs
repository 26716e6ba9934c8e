namespace Weft.Controller.Allocation;

/// <summary>Who has which address in which tenant subnet. Everything durable is in the pods' own annotations; this is what they say together.</summary>
/// <remarks><para>Who holds an address is a function of the objects alone: among all claims to it the latest term counts, then the older pod, then
/// the uid. So every replica, and the next leader, sees the same holder, also when a write of a controller that died arrives late.</para>
/// <para>How it is used: <see cref="Seen"/> for each pod that the watch tells, before the first <see cref="Take"/>; <see cref="Take"/> for each pod that needs
/// addresses, and a patch of the pod when the answer is new; <see cref="Holds"/> decides what agents are told; <see cref="Gone"/> when the pod is gone. Pure: no
/// clock, no I/O. Not thread-safe.</para></remarks>
public sealed class AddressTable
{
    /// <summary>How long an address of a pod that is gone is not given again while there are others.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, SubnetAddresses> _subnets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddressHolder> _holders = new(StringComparer.Ordinal);

    /// <summary>Sets or changes a subnet. Addresses that pods already have stay theirs, also where a new exclusion has them.</summary>
    public void SetSubnet(SubnetPlan plan) => Subnet(plan.Id).Plan = plan;

    /// <summary>Removes a subnet: nobody holds anything in it.</summary>
    public void RemoveSubnet(string id)
    {
        if (_subnets.TryGetValue(id, out var subnet))
        {
            subnet.Plan = null;
        }
    }

    /// <summary>Takes what a pod's object says now. Only from the watch: it tells the versions of an object in their order.</summary>
    /// <param name="owner">The pod.</param>
    /// <param name="stored">Its annotation (<see cref="AddressClaim.Read"/>), or null.</param>
    /// <param name="now">The time.</param>
    public void Seen(AddressOwner owner, AddressClaim? stored, DateTimeOffset now)
    {
        var holder = Holder(owner);
        if (holder.Stored == stored)
        {
            return;
        }

        var before = holder.Stored;
        if (stored is not null)
        {
            Subnet(stored.Subnet).Add(holder, stored);
        }

        holder.Stored = stored;
        Drop(holder, before, now);
        if (holder.Pending is { } pending && pending == stored)
        {
            holder.Pending = null;
            Drop(holder, pending, now);
        }
    }

    /// <summary>A pod is gone: its object is deleted, and its node does not have it any more.</summary>
    public void Gone(string uid, DateTimeOffset now)
    {
        if (_holders.Remove(uid, out var holder))
        {
            Drop(holder, holder.Stored, now);
            Drop(holder, holder.Pending, now);
        }
    }

    /// <summary>What the pod holds: its object says so, and no other's claim counts more. Null: nothing that an agent may be told.</summary>
    public AddressClaim? Holds(string uid) =>
        _holders.TryGetValue(uid, out var holder) && holder is { Pending: null, Stored: { } claim } && Subnet(claim.Subnet).IsHolder(holder, claim) ? claim : null;

    /// <summary>Gives a pod the addresses that it needs; the same ones when asked again.</summary>
    /// <param name="owner">The pod.</param>
    /// <param name="subnet">The subnet's id.</param>
    /// <param name="wanted">Addresses that it asks for, at most one of each family; empty: any.</param>
    /// <param name="mac">The MAC address that it asks for, or null.</param>
    /// <param name="term">This controller's term (<see cref="ITerms"/>).</param>
    /// <param name="now">The time.</param>
    public AddressAnswer Take(AddressOwner owner, string subnet, IReadOnlyList<string> wanted, string? mac, long term, DateTimeOffset now)
    {
        if (!_subnets.TryGetValue(subnet, out var addresses) || addresses.Plan is null)
        {
            return new AddressAnswer(null, false, $"there is no subnet {subnet}");
        }

        var holder = Holder(owner);
        if (holder.Pending is null && IsGood(holder.Stored))
        {
            return new AddressAnswer(holder.Stored, false, null);
        }

        if (IsGood(holder.Pending))
        {
            return new AddressAnswer(holder.Pending, true, null);
        }

        // A write that is on its way must be overtaken by another, also where what is stored became good again.
        var (found, refusal) = IsGood(holder.Stored) ? ([.. holder.Stored!.Addresses], null) : addresses.Find(holder, wanted, now);
        if (found is null)
        {
            return new AddressAnswer(null, false, refusal);
        }

        var given = new AddressClaim { Uid = owner.Uid, Term = term, Subnet = subnet, Addresses = [.. found], Mac = mac };
        var before = holder.Pending;
        holder.Pending = given;
        addresses.Add(holder, given);
        Drop(holder, before, now);
        return new AddressAnswer(given, true, null);

        bool IsGood(AddressClaim? claim) =>
            claim is not null && claim.Subnet == subnet && claim.Mac == mac && addresses.IsHolder(holder, claim) && addresses.Suits(claim, wanted);
    }

    private void Drop(AddressHolder holder, AddressClaim? claim, DateTimeOffset now)
    {
        if (claim is not null)
        {
            Subnet(claim.Subnet).Remove(holder, claim, now + Rest);
        }
    }

    private AddressHolder Holder(AddressOwner owner)
    {
        if (!_holders.TryGetValue(owner.Uid, out var holder))
        {
            _holders[owner.Uid] = holder = new AddressHolder(owner);
        }

        return holder;
    }

    private SubnetAddresses Subnet(string id)
    {
        if (!_subnets.TryGetValue(id, out var subnet))
        {
            _subnets[id] = subnet = new SubnetAddresses();
        }

        return subnet;
    }
}
