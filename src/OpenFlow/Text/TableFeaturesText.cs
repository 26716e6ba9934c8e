using System.Globalization;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Text;

/// <summary>Table features as <c>ovs-ofctl dump-table-features</c> prints them: what is like the table before is not told again.</summary>
internal sealed class TableFeaturesText(FlowTextWriter text)
{
    private static readonly string?[] InstructionNames = ["meter", "apply_actions", "clear_actions", "write_actions", "write_metadata", "goto_table"];

    // OVS lists instructions in the order in which they run, fields in the order of meta-flow.h.
    private static readonly int[] InstructionOrder = [6, 4, 5, 3, 2, 1];

    private static readonly string[] FieldOrder = string.Join(
        ' ',
        "dp_hash recirc_id packet_type conj_id tun_id tun_src tun_dst tun_ipv6_src tun_ipv6_dst tun_flags tun_ttl tun_tos tun_gbp_id tun_gbp_flags",
        "tun_erspan_idx tun_erspan_ver tun_erspan_dir tun_erspan_hwid tun_gtpu_flags tun_gtpu_msgtype", Numbered("tun_metadata", 0, 64),
        "metadata in_port in_port_oxm actset_output skb_priority pkt_mark ct_state ct_zone ct_mark ct_label ct_nw_proto ct_nw_src ct_nw_dst",
        "ct_ipv6_src ct_ipv6_dst ct_tp_src ct_tp_dst", Numbered("reg", 0, 16), Numbered("xreg", 0, 8), Numbered("xxreg", 0, 4),
        "eth_src eth_dst eth_type vlan_tci dl_vlan vlan_vid dl_vlan_pcp vlan_pcp mpls_label mpls_tc mpls_bos mpls_ttl ip_src ip_dst ipv6_src",
        "ipv6_dst ipv6_label nw_proto nw_tos ip_dscp nw_ecn nw_ttl ip_frag arp_op arp_spa arp_tpa arp_sha arp_tha tcp_src tcp_dst tcp_flags",
        "udp_src udp_dst sctp_src sctp_dst icmp_type icmp_code icmpv6_type icmpv6_code nd_target nd_sll nd_tll nd_reserved nd_options_type",
        "nsh_flags nsh_mdtype nsh_np nsh_spi nsh_si", Numbered("nsh_c", 1, 4), "nsh_ttl").Split(' ');

    private TableFeatures? _before;
    private (int First, int Last)? _ditto;

    /// <summary>Prints one table; the tables of a reply in their order.</summary>
    public void Table(TableFeatures features)
    {
        var before = _before;
        var same = before is not null && IsSame(features, before);
        _before = features;
        if (same && features.Name.Length == 0)
        {
            _ditto = (_ditto?.First ?? features.Table, features.Table);
            return;
        }

        Finish();
        text.Put(Invariant($"\n  table {features.Table}"));
        text.Optional(features.Name.Length > 0, $" (\"{features.Name}\")");
        text.Put(":");
        if (same)
        {
            text.Put(" ditto");
            return;
        }

        text.Put("\n");
        text.Optional((features.MetadataMatch | features.MetadataWrite) != 0, $"    metadata: match={CHex(features.MetadataMatch)} write={CHex(features.MetadataWrite)}\n");
        text.Optional(features.MaxEntries != 0, Invariant($"    max_entries={features.MaxEntries}\n"));
        Instructions(features, before);
        Matching(features, before);
    }

    /// <summary>Tells of the last tables that were like the one before them.</summary>
    public void Finish()
    {
        if (_ditto is var (first, last))
        {
            text.Put(Invariant(first == last ? $"\n  table {first}: ditto\n" : (FormattableString)$"\n  tables {first}...{last}: ditto\n"));
        }

        _ditto = null;
    }

    private void Instructions(TableFeatures features, TableFeatures? before)
    {
        if (before is not null && SameAbilities(features.Flows, features.Table, before.Flows, before.Table) && SameAbilities(features.Miss, features.Table, before.Miss, before.Table))
        {
            text.Optional(!features.Flows.IsEmpty, "    (same instructions)\n");
        }
        else if (!SameAbilities(features.Flows, features.Table, features.Miss, features.Table))
        {
            text.Put("    instructions (other than table miss):\n");
            Abilities(features.Flows, before?.Flows);
            text.Put("    instructions (table miss):\n");
            Abilities(features.Miss, before?.Miss);
        }
        else if (!features.Flows.IsEmpty)
        {
            text.Put("    instructions (table miss and others):\n");
            Abilities(features.Flows, before?.Flows);
        }
    }

    private void Abilities(TableAbilities abilities, TableAbilities? before)
    {
        if (!abilities.NextTables.IsEmpty)
        {
            text.Put($"      next tables: {Ranges(abilities.NextTables.AsSpan())}\n");
        }

        if (abilities.Instructions != 0)
        {
            text.Put(before is not null && abilities.Instructions == before.Instructions
                ? "      (same instructions)\n"
                : $"      instructions: {string.Join(' ', InstructionOrder.Index().Where(o => (abilities.Instructions >> o.Item & 1) != 0).Select(o => InstructionNames[o.Index]))}\n");
        }

        var (write, apply) = ((abilities.WriteActions, Set(abilities.WriteFields)), (abilities.ApplyActions, Set(abilities.ApplyFields)));
        if (before is not null && SameActions(abilities, before) && !abilities.WriteFields.IsEmpty)
        {
            text.Put("      (same actions)\n");
        }
        else if (write.WriteActions != apply.ApplyActions || !write.Item2.SetEquals(apply.Item2))
        {
            text.Put("      Write-Actions features:\n");
            Actions(abilities.WriteActions, abilities.WriteFields);
            text.Put("      Apply-Actions features:\n");
            Actions(abilities.ApplyActions, abilities.ApplyFields);
        }
        else if (abilities.WriteActions != 0 || !abilities.WriteFields.IsEmpty)
        {
            text.Put("      Write-Actions and Apply-Actions features:\n");
            Actions(abilities.WriteActions, abilities.WriteFields);
        }
    }

    private void Actions(uint actions, IReadOnlyCollection<Field> fields)
    {
        text.Optional(actions != 0, $"        actions: {MessagePrinter.ActionNamesOf(actions)}\n");
        text.Optional(fields.Count > 0, $"        supported on Set-Field: {Names(fields)}\n");
    }

    private void Matching(TableFeatures features, TableFeatures? before)
    {
        if (features.Match.IsEmpty)
        {
            return;
        }

        if (before is not null && Set(features.Match.Select(m => m.Field)).SetEquals(before.Match.Select(m => m.Field)))
        {
            text.Put("    (same matching)\n");
            return;
        }

        text.Put("    matching:\n");
        Group("arbitrary mask", features.Match.Where(m => m.IsMaskable));
        Group("exact match or wildcard", features.Match.Where(m => !m.IsMaskable && m.IsOptional));
        Group("must exact match", features.Match.Where(m => !m.IsMaskable && !m.IsOptional));

        void Group(string title, IEnumerable<TableField> fields)
        {
            Field[] group = [.. fields.Select(f => f.Field)];
            text.Optional(group.Length > 0, $"      {title}: {Names(group)}\n");
        }
    }

    private static bool IsSame(TableFeatures a, TableFeatures b) => a.MetadataMatch == b.MetadataMatch && a.MetadataWrite == b.MetadataWrite && a.MaxEntries == b.MaxEntries
        && SameAbilities(a.Flows, a.Table, b.Flows, b.Table) && SameAbilities(a.Miss, a.Table, b.Miss, b.Table)
        && Set(a.Match.Select(m => m.Field)).SetEquals(b.Match.Select(m => m.Field));

    private static bool SameAbilities(TableAbilities a, int tableA, TableAbilities b, int tableB) =>
        SameNext(a, tableA, b, tableB) && a.Instructions == b.Instructions && SameActions(a, b);

    private static bool SameActions(TableAbilities a, TableAbilities b) => a.WriteActions == b.WriteActions && a.ApplyActions == b.ApplyActions
        && Set(a.WriteFields).SetEquals(b.WriteFields) && Set(a.ApplyFields).SetEquals(b.ApplyFields);

    /// <summary>A table goes to no table before itself: tables that are different in that only are alike.</summary>
    private static bool SameNext(TableAbilities a, int tableA, TableAbilities b, int tableB)
    {
        var one = a.NextTables.AsSpan();
        var other = b.NextTables.AsSpan();
        if (tableB == tableA + 1 && one.Contains((byte)tableB) && !other.Contains((byte)tableB))
        {
            return a.NextTables.Remove((byte)tableB).AsSpan().SequenceEqual(other);
        }

        return tableA == tableB + 1 && other.Contains((byte)tableA) && !one.Contains((byte)tableA)
            ? b.NextTables.Remove((byte)tableA).AsSpan().SequenceEqual(one)
            : one.SequenceEqual(other);
    }

    private static HashSet<Field> Set(IEnumerable<Field> fields) => [.. fields];

    /// <summary>"1-5,7".</summary>
    private static string Ranges(ReadOnlySpan<byte> tables)
    {
        var parts = new List<string>();
        for (var i = 0; i < tables.Length;)
        {
            var end = i;
            while (end + 1 < tables.Length && tables[end + 1] == tables[end] + 1)
            {
                end++;
            }

            parts.Add(Invariant(end == i ? $"{tables[i]}" : (FormattableString)$"{tables[i]}-{tables[end]}"));
            i = end + 1;
        }

        return string.Join(',', parts);
    }

    /// <summary>Names in OVS's order, shortened: "eth_{src,dst} reg0...reg15".</summary>
    private static string Names(IEnumerable<Field> fields)
    {
        string[] names = [.. fields.Select(Name).Distinct().OrderBy(n => Array.IndexOf(FieldOrder, n))];
        return Shortened(names, 0);
    }

    private static string Name(Field field) => field == Fields.Fields.InPort ? "in_port_oxm" : field == Fields.Fields.InPort16 ? "in_port" : field.Name;

    private static string Shortened(ReadOnlySpan<string> names, int prefix)
    {
        var groups = new List<string>();
        while (!names.IsEmpty)
        {
            var byPrefix = PrefixRun(names, prefix, out var common);
            var bySuffix = NumberRun(names);
            var run = Math.Max(byPrefix, bySuffix);
            groups.Add(bySuffix >= byPrefix
                ? names[0][prefix..] + (run > 1 ? "..." + names[run - 1][prefix..] : "")
                : $"{names[0].Substring(prefix, common)}{{{Shortened(names[..run], prefix + common)}}}");
            names = names[run..];
        }

        return string.Join(prefix > 0 ? ',' : ' ', groups);
    }

    /// <summary>How many names begin alike, up to and with an underscore.</summary>
    private static int PrefixRun(ReadOnlySpan<string> names, int prefix, out int common)
    {
        common = names.Length < 2 ? 0 : CommonPrefix(names[0].AsSpan(prefix), names[1].AsSpan(prefix));
        if (common == 0)
        {
            return 1;
        }

        var run = 2;
        while (run < names.Length && CommonPrefix(names[0].AsSpan(prefix), names[run].AsSpan(prefix)) > 0)
        {
            run++;
        }

        return run;
    }

    private static int CommonPrefix(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var common = a.CommonPrefixLength(b);
        return a[..common].LastIndexOf('_') + 1;
    }

    /// <summary>How many names are the same but for a number that goes up by one.</summary>
    private static int NumberRun(ReadOnlySpan<string> names)
    {
        var run = 1;
        while (run < names.Length && Follows(names[run - 1], names[run]))
        {
            run++;
        }

        // "x0...x1" is no shorter than "x0 x1".
        return run == 2 ? 1 : run;
    }

    private static bool Follows(string a, string b)
    {
        var (stemA, stemB) = (a.TrimEnd(Digits), b.TrimEnd(Digits));
        return stemA == stemB && stemA.Length < a.Length && stemB.Length < b.Length
            && int.Parse(b.AsSpan(stemB.Length), CultureInfo.InvariantCulture) == int.Parse(a.AsSpan(stemA.Length), CultureInfo.InvariantCulture) + 1;
    }

    private static readonly char[] Digits = [.. "0123456789"];

    private static string Numbered(string stem, int first, int count) => string.Join(' ', Enumerable.Range(first, count).Select(i => Invariant($"{stem}{i}")));

    private static string CHex(ulong value) => value == 0 ? "0" : $"0x{value:x}";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
