namespace Weft.Controller.Network;

/// <summary>A label selector in canonical form. Selectors that mean the same by their text are one instance: compare by reference.</summary>
public sealed class Selector
{
    private readonly LabelRequirement[] _requirements;

    internal Selector(string text, LabelRequirement[] requirements)
    {
        (Text, _requirements) = (text, requirements);
        Index = Array.FindIndex(requirements, r => r.Operator == LabelOperator.In);
    }

    /// <summary>As kubectl writes it: <c>app=web,tier in (a,b),!old</c>; <c>*</c> when it selects everything.</summary>
    public string Text { get; }

    /// <summary>Whether it selects everything.</summary>
    public bool SelectsAll => _requirements.Length == 0;

    /// <summary>A requirement that names the values it accepts, by which selectors are found from labels; null when there is none.</summary>
    public LabelRequirement? Key => Index < 0 ? null : _requirements[Index];

    private int Index { get; }

    /// <summary>Whether it selects an object with these labels.</summary>
    public bool Matches(LabelSet labels)
    {
        foreach (var requirement in _requirements)
        {
            if (!requirement.Holds(labels))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
