using System.Net;
using System.Net.Sockets;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>Sends the packet through the connection tracker (NXAST_CT, ovs-actions(7) "ct").</summary>
public sealed record Conntrack : FlowAction
{
    /// <summary>Keeps the connection; without it the tracker only looks it up.</summary>
    public bool Commit { get; init; }

    /// <summary>With <see cref="Commit"/>: a connection in the other direction is replaced.</summary>
    public bool Force { get; init; }

    /// <summary>Where the tracked copy goes on; null when it does not.</summary>
    public byte? Table { get; init; }

    /// <summary>The zone, when it is fixed.</summary>
    public ushort Zone { get; init; }

    /// <summary>The bits that hold the zone, when they do.</summary>
    public BitRange? ZoneSource { get; init; }

    /// <summary>Translation; null for none.</summary>
    public Nat? Nat { get; init; }

    /// <summary>Actions that run with the commit: they set ct_mark and ct_label.</summary>
    public ActionList Exec { get; init; }

    /// <summary>Well-known port of an application gateway: 21 FTP, 69 TFTP, 0 none.</summary>
    public ushort Alg { get; init; }

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 35);
        w.U16((ushort)((Commit ? 1 : 0) | (Force ? 2 : 0)));
        if (ZoneSource is { } source)
        {
            SubfieldCodec.WriteNxm(w, source);
            w.U16(SubfieldCodec.OffsetAndCount(source));
        }
        else
        {
            w.U32(0);
            w.U16(Zone);
        }

        w.U8(Table ?? 255);
        w.Zeros(3);
        w.U16(Alg);
        Nat?.Encode(w);
        w.Bytes(Exec.Encoded);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("ct(");
        text.Optional(Commit, "commit,");
        text.Optional(Force, "force,");
        if (Table is { } table)
        {
            text.Put("table=");
            text.Table(table);
            text.Put(",");
        }

        text.Optional(ZoneSource is not null, $"zone={ZoneSource},");
        text.Optional(ZoneSource is null && Zone != 0, $"zone={Zone},");
        if (Nat is not null)
        {
            Nat.Format(text);
            text.Put(",");
        }

        if (!Exec.IsEmpty)
        {
            text.Put("exec(");
            text.Actions(Exec, "drop");
            text.Put("),");
        }

        text.Optional(Alg == 21, "alg=ftp,");
        text.Optional(Alg == 69, "alg=tftp,");
        text.Optional(Alg is not (0 or 21 or 69), $"alg={Alg},");
        text.Chomp(',');
        text.Put(")");
    }

    internal static Conntrack Decode(ref WireReader r)
    {
        var flags = r.U16();
        var zoneField = r.U32();
        var zone = r.U16();
        var table = r.U8();
        r.Skip(3);
        var alg = r.U16();
        BitRange? source = zoneField == 0 ? null : SubfieldCodec.Range(
            Fields.Fields.FindHeader((ulong)zoneField << 32) ?? throw new OpenFlowFormatException($"ct: unknown zone field 0x{zoneField:x8}"), zone);
        var rest = r.Rest;
        ActionList.Check(rest);
        Nat? nat = null;
        if (rest.Length > 0)
        {
            var length = ActionList.ActionLength(rest);
            if (ActionCodec.Decode(rest[..length]) is Nat first)
            {
                nat = first;
                rest = rest[length..];
            }
        }

        return new Conntrack
        {
            Commit = (flags & 1) != 0,
            Force = (flags & 2) != 0,
            Table = table == 255 ? null : table,
            Zone = source is null ? zone : (ushort)0,
            ZoneSource = source,
            Nat = nat,
            Exec = new ActionList(rest.ToArray()),
            Alg = alg,
        };
    }
}

/// <summary>Which end of a connection is translated.</summary>
public enum NatKind
{
    /// <summary>Apply the translation that the connection already has.</summary>
    Existing,

    /// <summary>The source.</summary>
    Source,

    /// <summary>The destination.</summary>
    Destination,
}

/// <summary>Address translation inside <see cref="Conntrack"/> (NXAST_NAT).</summary>
public sealed record Nat(NatKind Kind = NatKind.Existing) : FlowAction
{
    /// <summary>The first address; null lets the tracker choose ports only.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>The last address of a range; null for one address.</summary>
    public IPAddress? LastAddress { get; init; }

    /// <summary>The first port; 0 for none.</summary>
    public ushort Port { get; init; }

    /// <summary>The last port of a range; 0 for one port.</summary>
    public ushort LastPort { get; init; }

    /// <summary>The mapping survives a restart of the system.</summary>
    public bool Persistent { get; init; }

    /// <summary>Ports are chosen by hash.</summary>
    public bool Hash { get; init; }

    /// <summary>Ports are chosen at random.</summary>
    public bool Random { get; init; }

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 36);
        w.Zeros(2);
        w.U16((ushort)((int)Kind | (Persistent ? 4 : 0) | (Hash ? 8 : 0) | (Random ? 16 : 0)));
        var v6 = Address?.AddressFamily == AddressFamily.InterNetworkV6;
        w.U16((ushort)(
            (Address is null ? 0 : v6 ? 4 : 1)
            | (LastAddress is null ? 0 : v6 ? 8 : 2)
            | (Port == 0 ? 0 : 16)
            | (LastPort == 0 ? 0 : 32)));
        WriteAddress(w, Address);
        WriteAddress(w, LastAddress);
        if (Port != 0)
        {
            w.U16(Port);
        }

        if (LastPort != 0)
        {
            w.U16(LastPort);
        }

        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("nat");
        if (Kind == NatKind.Existing)
        {
            return;
        }

        text.Put(Kind == NatKind.Source ? "(src" : "(dst");
        if (Address is { } first)
        {
            text.Put("=");
            PutAddress(text, first);
            if (LastAddress is { } last && !last.Equals(first))
            {
                text.Put("-");
                PutAddress(text, last);
            }

            text.Optional(Port != 0, $":{Port}");
            text.Optional(Port != 0 && LastPort != 0 && LastPort != Port, $"-{LastPort}");
            text.Put(",");
            text.Optional(Persistent, "persistent,");
            text.Optional(Hash, "hash,");
            text.Optional(Random, "random,");
            text.Chomp(',');
        }

        text.Put(")");
    }

    internal static Nat Decode(ref WireReader r)
    {
        r.Skip(2);
        var flags = r.U16();
        var present = r.U16();
        if ((flags & ~0x1f) != 0 || (flags & 3) == 3 || (flags & 0x18) == 0x18)
        {
            throw new OpenFlowFormatException($"nat: flags 0x{flags:x4} are unknown or exclude each other");
        }

        var v4 = (present & 1) != 0;
        var v6 = (present & 4) != 0;
        if ((v4 && (present & 12) != 0) || ((present & 2) != 0 && !v4) || ((present & 8) != 0 && !v6) || ((present & 32) != 0 && (present & 16) == 0) || ((present & 16) != 0 && !v4 && !v6))
        {
            throw new OpenFlowFormatException($"nat: the ranges 0x{present:x4} do not fit together");
        }

        var nat = new Nat((NatKind)(flags & 3))
        {
            Persistent = (flags & 4) != 0,
            Hash = (flags & 8) != 0,
            Random = (flags & 16) != 0,
            Address = v4 || v6 ? ReadAddress(ref r, v6) : null,
            LastAddress = (present & 10) != 0 ? ReadAddress(ref r, v6) : null,
            Port = (present & 16) != 0 ? r.U16() : (ushort)0,
            LastPort = (present & 32) != 0 ? r.U16() : (ushort)0,
        };
        if ((present & 16) != 0 && (nat.Port == 0 || ((present & 32) != 0 && nat.LastPort < nat.Port)))
        {
            throw new OpenFlowFormatException("nat: a port range begins with 0 or ends before it begins");
        }

        return nat;
    }

    private static IPAddress ReadAddress(ref WireReader r, bool v6) => new(r.Take(v6 ? 16 : 4));

    private static void WriteAddress(WireWriter w, IPAddress? address)
    {
        if (address is not null)
        {
            w.Bytes(address.GetAddressBytes());
        }
    }

    private void PutAddress(FlowTextWriter text, IPAddress address)
    {
        var bracket = address.AddressFamily == AddressFamily.InterNetworkV6 && Port != 0;
        text.Optional(bracket, "[");
        text.Address(address);
        text.Optional(bracket, "]");
    }
}
