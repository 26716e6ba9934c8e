namespace Weft.Agent.CniServer.Leases;

/// <summary>A lease that is written, and on its way to the disk.</summary>
/// <param name="Lease">The lease. Nobody else gets its addresses meanwhile.</param>
/// <param name="IsNew">Whether this request made it.</param>
/// <param name="Durable">
/// Ends when the disk has it; fails with a <see cref="LeaseException"/> when the disk refuses, and then a new lease is to be released.
/// </param>
public sealed record LeaseGrant(Lease Lease, bool IsNew, Task Durable);
