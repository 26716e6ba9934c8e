using System.Globalization;
using System.Text;

namespace Weft.Lab.ApiServer;

internal enum CelTokenKind
{
    Name,
    Integer,
    Unsigned,
    Double,
    Text,
    Bytes,
    Symbol,
    End,
}

/// <summary>One word of an expression.</summary>
internal readonly record struct CelToken(CelTokenKind Kind, string Text, object? Value, int Position)
{
    private static readonly string[] Symbols = ["&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ",", ".", "?", ":", "<", ">", "+", "-", "*", "/", "%", "!"];

    /// <summary>Cuts a text into words (CEL language definition, "Syntax").</summary>
    public static List<CelToken> Read(string text)
    {
        var tokens = new List<CelToken>();
        var i = 0;
        while (i < text.Length)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
            }
            else if (text.AsSpan(i).StartsWith("//"))
            {
                var end = text.IndexOf('\n', i);
                i = end < 0 ? text.Length : end + 1;
            }
            else if (TextPrefix(text, i, out var raw, out var bytes, out var quote))
            {
                tokens.Add(ReadText(text, ref i, quote, raw, bytes));
            }
            else if (char.IsAsciiLetter(text[i]) || text[i] == '_')
            {
                var start = i;
                while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_'))
                {
                    i++;
                }

                tokens.Add(new CelToken(CelTokenKind.Name, text[start..i], null, start));
            }
            else if (char.IsAsciiDigit(text[i]) || (text[i] == '.' && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1])))
            {
                tokens.Add(ReadNumber(text, ref i));
            }
            else
            {
                var symbol = Array.Find(Symbols, s => text.AsSpan(i).StartsWith(s)) ?? throw new CelException($"unexpected '{text[i]}' at {i}");
                tokens.Add(new CelToken(CelTokenKind.Symbol, symbol, null, i));
                i += symbol.Length;
            }
        }

        tokens.Add(new CelToken(CelTokenKind.End, "", null, text.Length));
        return tokens;
    }

    private static bool TextPrefix(string text, int i, out bool raw, out bool bytes, out int quote)
    {
        (raw, bytes, quote) = (false, false, i);
        while (quote < text.Length && quote < i + 2 && text[quote] is 'r' or 'R' or 'b' or 'B')
        {
            raw |= text[quote] is 'r' or 'R';
            bytes |= text[quote] is 'b' or 'B';
            quote++;
        }

        return quote < text.Length && text[quote] is '\'' or '"';
    }

    private static CelToken ReadText(string text, ref int i, int quote, bool raw, bool bytes)
    {
        var start = i;
        var mark = text[quote].ToString();
        var triple = string.Concat(mark, mark, mark);
        var end = text.AsSpan(quote).StartsWith(triple) ? triple : mark;
        i = quote + end.Length;
        var content = new StringBuilder();
        while (i < text.Length && !text.AsSpan(i).StartsWith(end))
        {
            if (text[i] == '\\' && !raw && i + 1 < text.Length)
            {
                content.Append(Escape(text, ref i));
            }
            else
            {
                content.Append(text[i++]);
            }
        }

        if (i >= text.Length)
        {
            throw new CelException($"the string at {start} does not end");
        }

        i += end.Length;
        return bytes ? new CelToken(CelTokenKind.Bytes, "", Encoding.UTF8.GetBytes(content.ToString()), start) : new CelToken(CelTokenKind.Text, "", content.ToString(), start);
    }

    private static string Escape(string text, ref int i)
    {
        var kind = text[i + 1];
        var digits = kind switch { 'x' or 'X' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0 && i + 2 + digits <= text.Length && int.TryParse(text.AsSpan(i + 2, digits), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var code))
        {
            i += 2 + digits;
            return char.ConvertFromUtf32(code);
        }

        i += 2;
        return kind switch { 'n' => "\n", 't' => "\t", 'r' => "\r", 'a' => "\a", 'b' => "\b", 'f' => "\f", 'v' => "\v", _ => kind.ToString() };
    }

    private static CelToken ReadNumber(string text, ref int i)
    {
        var start = i;
        if (text[i] == '0' && i + 1 < text.Length && text[i + 1] is 'x' or 'X')
        {
            i += 2;
            while (i < text.Length && char.IsAsciiHexDigit(text[i]))
            {
                i++;
            }

            return long.TryParse(text.AsSpan(start + 2, i - start - 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var hex)
                ? new CelToken(CelTokenKind.Integer, text[start..i], hex, start) : throw new CelException($"{text[start..i]} at {start} is no number");
        }

        var real = false;
        while (i < text.Length && (char.IsAsciiDigit(text[i]) || (text[i] == '.' && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1]))
            || text[i] is 'e' or 'E' || (text[i] is '+' or '-' && text[i - 1] is 'e' or 'E')))
        {
            real |= !char.IsAsciiDigit(text[i]);
            i++;
        }

        var digits = text[start..i];
        if (real)
        {
            return double.TryParse(digits, CultureInfo.InvariantCulture, out var value)
                ? new CelToken(CelTokenKind.Double, digits, value, start) : throw new CelException($"{digits} at {start} is no number");
        }

        if (i < text.Length && text[i] is 'u' or 'U')
        {
            i++;
        }

        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new CelToken(CelTokenKind.Integer, digits, number, start) : throw new CelException($"{digits} at {start} does not fit 64 bits");
    }
}
