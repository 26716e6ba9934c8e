namespace Weft.Agent.Host.Netlink;

/// <summary>NLM_F_* (linux/netlink.h).</summary>
[Flags]
internal enum NetlinkFlags : ushort
{
    None = 0,
    Request = 0x1,
    Multi = 0x2,
    Ack = 0x4,
    DumpInterrupted = 0x10,
    Replace = 0x100,
    Exclusive = 0x200,
    Create = 0x400,
    Append = 0x800,
    Dump = 0x300,
}
