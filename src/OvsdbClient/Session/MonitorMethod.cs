namespace Weft.Ovsdb;

/// <summary>The newest way to follow tables that a client may use.</summary>
public enum MonitorMethod
{
    /// <summary>monitor of RFC 7047: no conditions, whole rows.</summary>
    Monitor,

    /// <summary>monitor_cond: conditions, differences.</summary>
    MonitorCond,

    /// <summary>monitor_cond_since: conditions, differences, and resuming after a reconnect.</summary>
    MonitorCondSince,
}
