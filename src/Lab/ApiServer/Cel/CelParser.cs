namespace Weft.Lab.ApiServer;

/// <summary>Reads the Common Expression Language (github.com/google/cel-spec, langdef "Syntax") by recursive descent.</summary>
internal sealed class CelParser
{
    private const int DeepestNesting = 200;

    private static readonly string[][] Levels = [["||"], ["&&"], ["<", "<=", ">=", ">", "==", "!=", "in"], ["+", "-"], ["*", "/", "%"]];

    private readonly List<CelToken> _tokens;
    private int _position;
    private int _depth;

    private CelParser(List<CelToken> tokens) => _tokens = tokens;

    /// <exception cref="CelException">Not an expression; the message has the place.</exception>
    public static CelNode Parse(string text)
    {
        var parser = new CelParser(CelToken.Read(text));
        var node = parser.Expression();
        return parser.Current.Kind == CelTokenKind.End ? node : throw parser.Unexpected();
    }

    private CelToken Current => _tokens[_position];

    private CelNode Expression()
    {
        if (++_depth > DeepestNesting)
        {
            throw new CelException($"nested more than {DeepestNesting} deep");
        }

        var condition = Operators(0);
        if (Take("?"))
        {
            var then = Operators(0);
            Expect(":");
            condition = new CelNode.Choice(condition, then, Expression());
        }

        _depth--;
        return condition;
    }

    private CelNode Operators(int level)
    {
        if (level == Levels.Length)
        {
            return Unary();
        }

        var left = Operators(level + 1);
        while (Current.Kind is CelTokenKind.Symbol or CelTokenKind.Name && Levels[level].Contains(Current.Text))
        {
            var symbol = Next().Text;
            left = new CelNode.Binary(symbol, left, Operators(level + 1));
        }

        return left;
    }

    private CelNode Unary()
    {
        if (Take("!"))
        {
            return new CelNode.Unary("!", Unary());
        }

        if (Take("-"))
        {
            return Current.Value is long n && Current.Kind == CelTokenKind.Integer && Next() != default ? Suffixes(new CelNode.Literal(-n)) : new CelNode.Unary("-", Unary());
        }

        return Suffixes(Primary());
    }

    private CelNode Suffixes(CelNode node)
    {
        while (true)
        {
            if (Take("."))
            {
                // Optional syntax (a.?b) is read as plain selection that may fail.
                Take("?");
                var name = Name();
                node = Take("(") ? new CelNode.Call(node, name, Arguments(")")) : new CelNode.Member(node, name);
            }
            else if (Take("["))
            {
                node = new CelNode.Index(node, Expression());
                Expect("]");
            }
            else
            {
                return node;
            }
        }
    }

    private CelNode Primary()
    {
        var token = Next();
        switch (token.Kind)
        {
            case CelTokenKind.Integer or CelTokenKind.Double or CelTokenKind.Text or CelTokenKind.Bytes or CelTokenKind.Unsigned:
                return new CelNode.Literal(token.Value);
            case CelTokenKind.Name when token.Text is "true" or "false":
                return new CelNode.Literal(token.Text == "true");
            case CelTokenKind.Name when token.Text == "null":
                return new CelNode.Literal(null);
            case CelTokenKind.Name:
                return Take("(") ? new CelNode.Call(null, token.Text, Arguments(")")) : new CelNode.Name(token.Text);
            case CelTokenKind.Symbol when token.Text == "(":
                var inner = Expression();
                Expect(")");
                return inner;
            case CelTokenKind.Symbol when token.Text == "[":
                return new CelNode.ListLiteral(Arguments("]"));
            case CelTokenKind.Symbol when token.Text == "{":
                return new CelNode.MapLiteral(Entries());
            default:
                _position -= token.Kind == CelTokenKind.End ? 0 : 1;
                throw Unexpected();
        }
    }

    private List<CelNode> Arguments(string end)
    {
        var arguments = new List<CelNode>();
        while (!Take(end))
        {
            arguments.Add(Expression());
            if (!Take(","))
            {
                Expect(end);
                break;
            }
        }

        return arguments;
    }

    private List<(CelNode Key, CelNode Value)> Entries()
    {
        var entries = new List<(CelNode, CelNode)>();
        while (!Take("}"))
        {
            var key = Expression();
            Expect(":");
            entries.Add((key, Expression()));
            if (!Take(","))
            {
                Expect("}");
                break;
            }
        }

        return entries;
    }

    private string Name() => Current.Kind == CelTokenKind.Name ? Next().Text : throw Unexpected();

    private CelToken Next() => _tokens[Current.Kind == CelTokenKind.End ? _position : _position++];

    private bool Take(string symbol)
    {
        if (Current.Kind != CelTokenKind.Symbol || Current.Text != symbol)
        {
            return false;
        }

        _position++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Take(symbol))
        {
            throw new CelException($"expected '{symbol}' at {Current.Position}");
        }
    }

    private CelException Unexpected() =>
        new(Current.Kind == CelTokenKind.End ? "the expression ends too early" : $"unexpected '{Current.Text}' at {Current.Position}");
}
