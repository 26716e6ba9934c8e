using Weft.Controller.Allocation;

namespace Weft.Controller.Network;

/// <summary>A pod and what it is to be given.</summary>
/// <param name="Namespace">The pod's namespace.</param>
/// <param name="Name">The pod's name.</param>
/// <param name="Uid">Its uid.</param>
/// <param name="Version">The version of it that was decided upon.</param>
/// <param name="Claim">What it is given.</param>
internal sealed record PendingClaim(string Namespace, string Name, string Uid, string Version, AddressClaim Claim);

/// <summary>What the leader has to write to Kubernetes for tenants. Nothing of it counts before it comes back from there.</summary>
internal sealed class TenantWork(TenantTable tenants, PodTable pods)
{
    private readonly AddressChooser _chooser = new(tenants);

    /// <summary>Rises with every change that a status may depend on.</summary>
    public long Version => tenants.Version;

    /// <summary>Whether a pod waits for an address, and its object is one that was not tried yet.</summary>
    public bool HasHeld => tenants.Held.Any(IsUntried);

    /// <summary>The owners of network keys.</summary>
    public IReadOnlyList<NetworkOwner> Owners => [.. tenants.Vpcs.Where(v => v.Source is not null)
        .Select(v => new NetworkOwner(v.Source!.Metadata.Uid ?? v.Name, v.Name, v.Source.Status?.NetworkKey))];

    /// <summary>Every Vpc of Kubernetes with the key that its status says.</summary>
    public IReadOnlyList<(string Name, string Uid, int? Key)> Keys => [.. tenants.Vpcs.Where(v => v.Source is not null)
        .Select(v => (v.Name, v.Source!.Metadata.Uid ?? v.Name, v.Source.Status?.NetworkKey))];

    /// <summary>Says why a Vpc has no key; null: it has, or will get one.</summary>
    public void RefuseKey(string vpc, string? reason) => tenants.RefuseKey(vpc, reason);

    /// <summary>Decides what waiting pods get, and keeps it from others.</summary>
    /// <param name="most">Pods at one time.</param>
    /// <param name="term">This controller's term.</param>
    /// <param name="now">The time.</param>
    public IReadOnlyList<PendingClaim> TakeClaims(int most, long term, DateTimeOffset now)
    {
        var taken = new List<PendingClaim>();
        foreach (var pod in tenants.Held.Where(IsUntried).OrderBy(p => p.Id, StringComparer.Ordinal).Take(most).ToList())
        {
            pod.TriedVersion = pod.Version;
            try
            {
                var (subnet, wanted, mac) = _chooser.Choose(pod);
                var answer = tenants.Addresses.Take(pod.Owner, subnet.Name, wanted, mac, term, now);
                if (answer.Claim is not { } claim)
                {
                    throw new NoAddressException(answer.Refusal!);
                }

                tenants.Await(pod, subnet, claim);
                pods.SetProblem(pod, null);
                taken.Add(new PendingClaim(pod.Namespace.Name, pod.Name, pod.Uid, pod.Version!, claim));
            }
            catch (NoAddressException e)
            {
                pods.SetProblem(pod, e.Message);
            }
        }

        return taken;
    }

    /// <summary>Makes every waiting pod be tried again: what stood against it may have changed, or a write failed.</summary>
    public void TryAgain()
    {
        foreach (var pod in tenants.Held)
        {
            pod.TriedVersion = null;
        }
    }

    /// <summary>Rises with everything that the keys of networks may depend on.</summary>
    public long KeysVersion => tenants.KeysVersion;

    /// <summary>Statuses computed since the start, for tests of cost.</summary>
    public long StatusesComputed { get; private set; }

    /// <summary>What every object's status should say now.</summary>
    public IReadOnlyList<WantedStatus> Statuses() => new TenantStatuses(tenants).All();

    /// <summary>What the statuses should say that may be other ones since the last call.</summary>
    public IReadOnlyList<WantedStatus> TakeStatuses()
    {
        var wanted = new TenantStatuses(tenants).Of(tenants.TakeToTell());
        StatusesComputed += wanted.Count;
        return wanted;
    }

    /// <summary>Makes the next <see cref="TakeStatuses"/> give every status.</summary>
    public void TellAll() => tenants.TellAll();

    private static bool IsUntried(PodState pod) => pod.Version is not null && pod.TriedVersion != pod.Version;
}
