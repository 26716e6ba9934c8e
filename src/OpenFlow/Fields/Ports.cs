namespace Weft.OpenFlow.Fields;

/// <summary>Reserved port numbers (OpenFlow 1.3.5 section 4.5) and their 16-bit forms in Nicira actions.</summary>
public static class Ports
{
    /// <summary>The highest number of a physical or logical port that Open vSwitch uses.</summary>
    public const uint Max = 0xff00;

    /// <summary>Back out of the port that the packet came in by.</summary>
    public const uint InPort = 0xfffffff8;

    /// <summary>Through the flow table; only in packet-out.</summary>
    public const uint Table = 0xfffffff9;

    /// <summary>As a learning switch does.</summary>
    public const uint Normal = 0xfffffffa;

    /// <summary>Every port except in_port and those with flooding off.</summary>
    public const uint Flood = 0xfffffffb;

    /// <summary>Every port except in_port.</summary>
    public const uint All = 0xfffffffc;

    /// <summary>To the controller as packet-in.</summary>
    public const uint Controller = 0xfffffffd;

    /// <summary>The bridge's own port.</summary>
    public const uint Local = 0xfffffffe;

    /// <summary>No port, or any port in a filter.</summary>
    public const uint Any = 0xffffffff;

    internal const uint Unset = 0xfffffff7;

    /// <summary>The 32-bit number of a 16-bit one: reserved numbers from 0xfff7 up move to the top.</summary>
    public static uint FromOpenFlow10(ushort port) => port >= 0xff00 ? 0xffff0000u | port : port;

    /// <summary>The 16-bit number of a 32-bit one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither below 0xff00 nor reserved.</exception>
    public static ushort ToOpenFlow10(uint port) => port < Max || port >= 0xffffff00
        ? (ushort)port
        : throw new ArgumentOutOfRangeException(nameof(port), $"port {port} is neither below {Max} nor a reserved number");

    internal static string? ReservedName(uint port) => port switch
    {
        InPort => "IN_PORT",
        Table => "TABLE",
        Normal => "NORMAL",
        Flood => "FLOOD",
        All => "ALL",
        Controller => "CONTROLLER",
        Local => "LOCAL",
        Any => "ANY",
        Unset => "UNSET",
        _ => null,
    };
}
