namespace Weft.Controller.Allocation;

/// <summary>A pod with what its object says it has, and what it is to have instead. Both keep their addresses from others.</summary>
internal sealed class AddressHolder(AddressOwner owner)
{
    public AddressOwner Owner => owner;

    /// <summary>What the pod's object says.</summary>
    public AddressClaim? Stored { get; set; }

    /// <summary>What was given and is not seen in the object yet.</summary>
    public AddressClaim? Pending { get; set; }

    /// <summary>Whether this pod's claim counts more than the other's.</summary>
    public static bool CountsMore(AddressHolder holder, AddressClaim claim, AddressHolder other, AddressClaim otherClaim)
    {
        if (claim.Term != otherClaim.Term)
        {
            return claim.Term > otherClaim.Term;
        }

        return holder.Owner.Created != other.Owner.Created
            ? holder.Owner.Created < other.Owner.Created
            : string.CompareOrdinal(holder.Owner.Uid, other.Owner.Uid) < 0;
    }
}
