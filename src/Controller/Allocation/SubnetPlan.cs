namespace Weft.Controller.Allocation;

/// <summary>What a subnet gives to pods.</summary>
/// <param name="Id">The subnet's id.</param>
/// <param name="Ranges">Its ranges; of each family a pod gets one address, from the first range that has one.</param>
/// <param name="Excluded">What is never given: gateways, and what the subnet's owner excludes.</param>
/// <param name="Kept">What is given only to who asks for exactly that address; null: nothing.</param>
public sealed record SubnetPlan(string Id, IReadOnlyList<AddressRange> Ranges, IReadOnlyList<AddressRange> Excluded, IReadOnlyList<AddressRange>? Kept = null);
