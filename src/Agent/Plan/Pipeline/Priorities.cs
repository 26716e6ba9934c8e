namespace Weft.Agent.Plan.Pipeline;

/// <summary>Flow priorities. Higher is matched first.</summary>
public static class Priorities
{
    /// <summary>Above every decision, and none itself: an answer that the agent wants to hear.</summary>
    public const ushort Listen = 65_100;

    /// <summary>Decisions before everything else of a table: invalid connections, bypasses.</summary>
    public const ushort Bypass = 65_000;

    /// <summary>A pod whose policies are not known yet: below the bypasses, above every policy.</summary>
    public const ushort Await = 64_000;

    /// <summary>What is never forwarded: multicast, broadcast, link-local.</summary>
    public const ushort Never = 200;

    /// <summary>An exception to a normal flow.</summary>
    public const ushort Exception = 160;

    /// <summary>One address.</summary>
    public const ushort Host = 150;

    /// <summary>A tenant's own ranges: before every static route of its router.</summary>
    public const ushort Connected = 140;

    /// <summary>The normal case.</summary>
    public const ushort Normal = 100;

    /// <summary>What the normal flows leave.</summary>
    public const ushort Rest = 50;

    /// <summary>The shortest static route of a tenant's router; the next longer prefix is three higher. A router has at most 32.</summary>
    public const ushort Route = 2;

    /// <summary>The last flow for a port: drops and counts.</summary>
    public const ushort PortDrop = 10;

    /// <summary>The default route.</summary>
    public const ushort Default = 1;

    /// <summary>The miss flow of a table.</summary>
    public const ushort Miss = 0;
}
