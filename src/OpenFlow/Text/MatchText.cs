using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Text;

/// <summary>Prints matches as match_format of OVS's match.c does.</summary>
public static class MatchText
{
    /// <summary>The match in ovs-ofctl syntax; empty when every packet matches.</summary>
    public static string Format(Match match, NameMap? names = null)
    {
        var text = new FlowTextWriter(names);
        Write(text, match);
        return text.ToString();
    }

    /// <summary>One condition, by the field's own name.</summary>
    public static string Format(FieldMatch condition)
    {
        var text = new FlowTextWriter(null);
        text.Put(condition.Field.Name + "=");
        text.Value(condition.Field, condition.Value, condition.Mask);
        return text.ToString();
    }

    internal static void Write(FlowTextWriter text, Match match)
    {
        var start = text.Length;
        new MatchPrinter(text, match).Write();
        if (text.Length > start)
        {
            text.Chomp(',');
        }
    }
}
