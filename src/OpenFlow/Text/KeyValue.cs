namespace Weft.OpenFlow.Text;

/// <summary>Cuts "key=value,key(value),key:value->x" into pairs as ofputil_parse_key_value of OVS does.</summary>
internal static class KeyValue
{
    private const string Separators = ", \t\r\n";

    /// <summary>The pairs; a key alone has an empty value. For key(value)->rest the value is "value->rest".</summary>
    /// <exception cref="OpenFlowTextException">A parenthesis is not closed.</exception>
    public static IEnumerable<(string Key, string Value)> Cut(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (Separators.Contains(text[i], StringComparison.Ordinal))
            {
                i++;
                continue;
            }

            var start = i;
            while (i < text.Length && !":=(".Contains(text[i], StringComparison.Ordinal) && !Separators.Contains(text[i], StringComparison.Ordinal))
            {
                i++;
            }

            var key = text[start..i];
            if (i >= text.Length || Separators.Contains(text[i], StringComparison.Ordinal))
            {
                yield return (key, "");
                continue;
            }

            if (text[i] == '(')
            {
                var close = Close(text, i);
                var value = text[(i + 1)..close];
                i = close + 1;
                var rest = i;
                i = UntilSeparator(text, i);
                yield return (key, value + text[rest..i]);
            }
            else
            {
                start = ++i;
                i = UntilSeparator(text, i);
                yield return (key, text[start..i]);
            }
        }
    }

    private static int UntilSeparator(string text, int i)
    {
        while (i < text.Length && !Separators.Contains(text[i], StringComparison.Ordinal))
        {
            i = text[i] == '(' ? Close(text, i) + 1 : i + 1;
        }

        return i;
    }

    private static int Close(string text, int open)
    {
        var depth = 0;
        for (var i = open; i < text.Length; i++)
        {
            depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        throw new OpenFlowTextException($"{text[open..]}: a parenthesis is not closed");
    }
}
