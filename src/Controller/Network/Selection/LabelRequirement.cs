namespace Weft.Controller.Network;

/// <summary>What a requirement asks of a label.</summary>
public enum LabelOperator
{
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// <summary>One requirement of a selector. All strings are interned.</summary>
/// <param name="Key">The label's key.</param>
/// <param name="Operator">What is asked.</param>
/// <param name="Values">Sorted; empty for Exists and DoesNotExist.</param>
public readonly record struct LabelRequirement(string Key, LabelOperator Operator, string[] Values)
{
    /// <summary>Whether the labels meet it. As in Kubernetes, NotIn holds for objects without the key.</summary>
    public bool Holds(LabelSet labels)
    {
        var value = labels[Key];
        return Operator switch
        {
            LabelOperator.In => value is not null && Has(value),
            LabelOperator.NotIn => value is null || !Has(value),
            LabelOperator.Exists => value is not null,
            LabelOperator.DoesNotExist => value is null,
            _ => throw new InvalidOperationException($"unknown operator {Operator}"),
        };
    }

    private bool Has(string value)
    {
        foreach (var candidate in Values)
        {
            if (ReferenceEquals(candidate, value))
            {
                return true;
            }
        }

        return false;
    }
}
