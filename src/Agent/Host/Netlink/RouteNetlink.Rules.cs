namespace Weft.Agent.Host.Netlink;

/// <content>Policy rules (rtnetlink(7), <c>ip rule</c>).</content>
public sealed partial class RouteNetlink
{
    private const ushort NewRule = 32;
    private const ushort DelRule = 33;
    private const ushort GetRule = 34;
    private const ushort FraFwMark = 10;
    private const ushort FraTable = 15;
    private const ushort FraFwMask = 16;
    private const ushort FraProtocol = 21;
    private const byte ActionToTable = 1;

    /// <summary>The rules of ours (<see cref="Route.WeftProtocol"/>), both families.</summary>
    public IReadOnlyList<MarkRule> Rules()
    {
        var found = new List<MarkRule>();
        foreach (var family in (ReadOnlySpan<byte>)[LinuxNative.AfInet, LinuxNative.AfInet6])
        {
            var header = new byte[12];
            header[0] = family;
            Dump(GetRule, header, "list the policy rules", message =>
            {
                if (ReadRule(message.Body) is { } rule)
                {
                    found.Add(rule);
                }
            });
        }

        return found;
    }

    /// <summary>Adds a request that adds a rule.</summary>
    internal static void AddRule(NetlinkBatch batch, MarkRule rule)
    {
        batch.Begin(NewRule, NetlinkFlags.Create | NetlinkFlags.Exclusive, $"add {rule}", Errno.Exists);
        WriteRule(batch.Writer, rule);
        batch.End();
    }

    /// <summary>Adds a request that removes a rule. One that is not there is no error.</summary>
    internal static void DeleteRule(NetlinkBatch batch, MarkRule rule)
    {
        batch.Begin(DelRule, NetlinkFlags.None, $"remove {rule}", Errno.NotFound);
        WriteRule(batch.Writer, rule);
        batch.End();
    }

    /// <summary><c>struct fib_rule_hdr {u8 family, dst_len, src_len, tos, table, res1, res2, action, u32 flags}</c> and attributes.</summary>
    private static void WriteRule(NetlinkWriter writer, MarkRule rule)
    {
        Span<byte> header = stackalloc byte[12];
        header[0] = (byte)(rule.IsV6 ? LinuxNative.AfInet6 : LinuxNative.AfInet);
        header[7] = ActionToTable;
        writer.Raw(header);
        writer.Attribute(FraFwMark, rule.Mark);
        writer.Attribute(FraFwMask, rule.Mark);
        writer.Attribute(FraTable, (uint)rule.Table);
        writer.Attribute(FraProtocol, Route.WeftProtocol);
    }

    private static MarkRule? ReadRule(ReadOnlySpan<byte> body)
    {
        uint mark = 0;
        var table = (int)body[4];
        byte protocol = 0;
        var attributes = new AttributeReader(body[12..]);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case FraFwMark:
                    mark = (uint)attributes.Int32;
                    break;
                case FraTable:
                    table = attributes.Int32;
                    break;
                case FraProtocol:
                    protocol = attributes.Value[0];
                    break;
            }
        }

        return protocol == Route.WeftProtocol && mark != 0 ? new MarkRule(body[0] == LinuxNative.AfInet6, mark, table) : null;
    }
}

/// <summary>Packets with a mark take a routing table of their own.</summary>
/// <param name="IsV6">The family.</param>
/// <param name="Mark">The bits that must be set.</param>
/// <param name="Table">The table.</param>
public sealed record MarkRule(bool IsV6, uint Mark, int Table)
{
    /// <inheritdoc/>
    public override string ToString() => $"rule {(IsV6 ? "IPv6" : "IPv4")} fwmark 0x{Mark:x} lookup {Table}";
}
