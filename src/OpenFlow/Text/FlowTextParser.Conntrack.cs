using System.Net;
using Weft.OpenFlow.Actions;

namespace Weft.OpenFlow.Text;

/// <content>ct and nat.</content>
internal sealed partial class FlowTextParser
{
    private Conntrack ParseConntrack(string value)
    {
        var ct = new Conntrack();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            switch (key)
            {
                case "commit": ct = ct with { Commit = true }; break;
                case "force": ct = ct with { Force = true }; break;
                case "table": ct = ct with { Table = Table(v) }; break;
                case "zone" when v.Length > 0 && char.IsAsciiDigit(v[0]): ct = ct with { Zone = NumberText.U16(v, key) }; break;
                case "zone": ct = ct with { ZoneSource = Range(v) }; break;
                case "nat": ct = ct with { Nat = ParseNat(v) }; break;
                case "exec": ct = ct with { Exec = new FlowTextParser(names).Actions(v) }; break;
                case "alg": ct = ct with { Alg = v switch { "ftp" => 21, "tftp" => 69, _ => NumberText.U16(v, key) } }; break;
                default: throw new OpenFlowTextException($"ct: unknown argument {key}");
            }
        }

        return ct.Table != 255 ? ct : throw new OpenFlowTextException("ct: table=255 is no table to go on in");
    }

    private static Nat ParseNat(string value)
    {
        var nat = new Nat();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            switch (key)
            {
                case "src" or "dst":
                    nat = nat with { Kind = key == "src" ? NatKind.Source : NatKind.Destination };
                    nat = v.Length > 0 ? NatRange(nat, v) : nat;
                    break;
                case "persistent": nat = nat with { Persistent = true }; break;
                case "hash": nat = nat with { Hash = true }; break;
                case "random": nat = nat with { Random = true }; break;
                default: throw new OpenFlowTextException($"nat: unknown argument {key}");
            }
        }

        return nat;
    }

    /// <summary>10.0.0.1, 10.0.0.1-10.0.0.9, 10.0.0.1:80-90, fd00::1, [fd00::1]-[fd00::9]:80.</summary>
    private static Nat NatRange(Nat nat, string text)
    {
        var bracketed = text.Contains('[', StringComparison.Ordinal);
        var v6 = bracketed || text.Count(c => c == ':') > 1;
        var portAt = bracketed ? text.LastIndexOf("]:", StringComparison.Ordinal) + 1 : v6 ? -1 : text.IndexOf(':', StringComparison.Ordinal);
        var addresses = (portAt > 0 ? text[..portAt] : text).Split('-');
        var ports = portAt > 0 ? text[(portAt + 1)..].Split('-') : [];
        if (addresses.Length > 2 || ports.Length > 2)
        {
            throw new OpenFlowTextException($"nat: {text}: a range has two ends");
        }

        return nat with
        {
            Address = NatAddress(addresses[0]),
            LastAddress = addresses.Length > 1 ? NatAddress(addresses[1]) : null,
            Port = ports.Length > 0 ? NumberText.U16(ports[0], "nat port") : (ushort)0,
            LastPort = ports.Length > 1 ? NumberText.U16(ports[1], "nat port") : (ushort)0,
        };
    }

    private static IPAddress NatAddress(string text) => IPAddress.TryParse(text.Trim('[', ']'), out var address)
        ? address
        : throw new OpenFlowTextException($"nat: \"{text}\" is not an IP address");
}
