using System.Collections;

namespace Weft.Lab.ApiServer;

/// <summary>One evaluation: variables, and a bound on the work.</summary>
internal sealed class CelEvaluation(IReadOnlyDictionary<string, object?> variables)
{
    /// <summary>Far above what a rule may cost in Kubernetes, far below what would hold a request up.</summary>
    private const int MostSteps = 1_000_000;

    private readonly Dictionary<string, object?> _scope = new(StringComparer.Ordinal);
    private int _steps;

    public object? Value(CelNode node)
    {
        if (++_steps > MostSteps)
        {
            throw new CelException("the expression costs too much: bound its lists with maxItems");
        }

        return node switch
        {
            CelNode.Literal literal => literal.Value,
            CelNode.Name name => _scope.TryGetValue(name.Text, out var local) ? local
                : variables.TryGetValue(name.Text, out var value) ? value
                : CelFunctions.Type(name.Text) ?? throw new CelException($"undeclared reference to '{name.Text}'"),
            CelNode.Member member => Select(Value(member.Target), member.Text),
            CelNode.Index index => At(Value(index.Target), Value(index.Key)),
            CelNode.ListLiteral list => list.Items.Select(Value).ToList(),
            CelNode.MapLiteral map => map.Entries.ToDictionary(e => Value(e.Key) ?? throw new CelException("a map key is null"), e => Value(e.Value)),
            CelNode.Choice choice => True(Value(choice.Condition)) ? Value(choice.Then) : Value(choice.Else),
            CelNode.Unary unary => Negate(unary),
            CelNode.Binary { Operator: "&&" or "||" } binary => Logic(binary),
            CelNode.Binary binary => CelOperators.Apply(binary.Operator, Value(binary.Left), Value(binary.Right)),
            CelNode.Call call => Call(call),
            _ => throw new CelException("unknown part"),
        };
    }

    internal static object? Select(object? target, string name)
    {
        if (target is IReadOnlyDictionary<object, object?> map)
        {
            if (map.TryGetValue(name, out var value) || map.TryGetValue(Unescape(name), out value))
            {
                return value;
            }

            throw new CelException($"no such key: {name}");
        }

        throw new CelException($"type '{CelFunctions.NameOf(target)}' does not support field selection of '{name}'");
    }

    private static bool True(object? value) => value is bool b ? b : throw new CelException($"expected bool, got {CelFunctions.NameOf(value)}");

    /// <summary>How Kubernetes writes names that are no identifiers.</summary>
    private static string Unescape(string name) =>
        name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal) && name.Length > 4 ? name[2..^2]
            : name.Replace("__dash__", "-", StringComparison.Ordinal).Replace("__dot__", ".", StringComparison.Ordinal)
                .Replace("__slash__", "/", StringComparison.Ordinal).Replace("__underscores__", "__", StringComparison.Ordinal);

    private static object? At(object? target, object? key) => (target, key) switch
    {
        (IReadOnlyList<object?> list, long i) => i >= 0 && i < list.Count ? list[(int)i] : throw new CelException($"index out of bounds: {i}"),
        (IReadOnlyDictionary<object, object?> map, not null) => map.TryGetValue(key, out var value) ? value : throw new CelException($"no such key: {key}"),
        _ => throw new CelException($"type '{CelFunctions.NameOf(target)}' has no index"),
    };

    private object? Negate(CelNode.Unary unary) => (unary.Operator, Value(unary.Operand)) switch
    {
        ("!", bool b) => !b,
        ("-", long n) => checked(-n),
        ("-", double d) => -d,
        var (symbol, value) => throw new CelException($"no such overload: {symbol}{CelFunctions.NameOf(value)}"),
    };

    /// <summary>An error on one side does not matter when the other side decides (langdef, "Logical Operators").</summary>
    private object? Logic(CelNode.Binary binary)
    {
        var decides = binary.Operator == "||";
        CelException? error = null;
        foreach (var side in (CelNode[])[binary.Left, binary.Right])
        {
            try
            {
                if (True(Value(side)) == decides)
                {
                    return decides;
                }
            }
            catch (CelException e)
            {
                error = e;
            }
        }

        return error is null ? !decides : throw error;
    }

    private object? Call(CelNode.Call call)
    {
        if (call is { Target: null, Function: "has", Arguments: [CelNode.Member member] })
        {
            return Value(member.Target) is IReadOnlyDictionary<object, object?> map && (map.ContainsKey(member.Text) || map.ContainsKey(Unescape(member.Text)));
        }

        if (call is { Function: "bind", Target: CelNode.Name { Text: "cel" }, Arguments: [CelNode.Name bound, var bind, var body] })
        {
            return With(bound.Text, Value(bind), () => Value(body));
        }

        if (call.Target is not null && call.Arguments is [CelNode.Name variable, ..] && call.Function is "all" or "exists" or "exists_one" or "existsOne" or "map" or "filter" or "sortBy")
        {
            return Macro(call, variable.Text);
        }

        var target = call.Target is null ? null : CelFunctions.Namespace(call.Target) is null ? Value(call.Target) : null;
        var name = call.Target is not null && CelFunctions.Namespace(call.Target) is { } space ? $"{space}.{call.Function}" : call.Function;
        var arguments = call.Arguments.Select(Value).ToList();
        if (call.Target is not null && name == call.Function)
        {
            arguments.Insert(0, target);
        }

        return CelFunctions.Call(name, arguments, call.Target is not null && name == call.Function);
    }

    /// <summary>all, exists, exists_one, map and filter over lists and the keys of maps (langdef, "Macros").</summary>
    private object? Macro(CelNode.Call call, string variable)
    {
        var items = Value(call.Target!) switch
        {
            IReadOnlyList<object?> list => list,
            IReadOnlyDictionary<object, object?> map => map.Keys.ToList<object?>(),
            var other => throw new CelException($"type '{CelFunctions.NameOf(other)}' has no {call.Function}()"),
        };
        var body = call.Arguments[1];
        switch (call.Function)
        {
            case "all" or "exists":
                return Quantify(items, variable, body, decides: call.Function == "exists");
            case "exists_one" or "existsOne":
                return items.Count(i => True(With(variable, i, () => Value(body)))) == 1;
            case "filter":
                return items.Where(i => True(With(variable, i, () => Value(body)))).ToList();
            case "sortBy":
                return items.OrderBy(i => With(variable, i, () => Value(body)), Comparer<object?>.Create(CelOperators.Compare)).ToList();
            default:
                return call.Arguments.Count == 3
                    ? items.Where(i => True(With(variable, i, () => Value(body)))).Select(i => With(variable, i, () => Value(call.Arguments[2]))).ToList()
                    : items.Select(i => With(variable, i, () => Value(body))).ToList();
        }
    }

    private object? Quantify(IEnumerable items, string variable, CelNode body, bool decides)
    {
        CelException? error = null;
        foreach (var item in items)
        {
            try
            {
                if (True(With(variable, item, () => Value(body))) == decides)
                {
                    return decides;
                }
            }
            catch (CelException e)
            {
                error = e;
            }
        }

        return error is null ? !decides : throw error;
    }

    private object? With(string name, object? value, Func<object?> body)
    {
        var had = _scope.TryGetValue(name, out var outer);
        _scope[name] = value;
        try
        {
            return body();
        }
        finally
        {
            if (had)
            {
                _scope[name] = outer;
            }
            else
            {
                _scope.Remove(name);
            }
        }
    }
}
