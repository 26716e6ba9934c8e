namespace Weft.Lab.ApiServer;

/// <summary>One part of a parsed expression.</summary>
internal abstract record CelNode
{
    /// <summary>The parts right below.</summary>
    public abstract IEnumerable<CelNode> Parts { get; }

    internal sealed record Literal(object? Value) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [];
    }

    internal sealed record Name(string Text) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [];
    }

    internal sealed record Member(CelNode Target, string Text) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [Target];
    }

    internal sealed record Index(CelNode Target, CelNode Key) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [Target, Key];
    }

    internal sealed record Call(CelNode? Target, string Function, List<CelNode> Arguments) : CelNode
    {
        public override IEnumerable<CelNode> Parts => Target is null ? Arguments : Arguments.Prepend(Target);
    }

    internal sealed record Unary(string Operator, CelNode Operand) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [Operand];
    }

    internal sealed record Binary(string Operator, CelNode Left, CelNode Right) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [Left, Right];
    }

    internal sealed record Choice(CelNode Condition, CelNode Then, CelNode Else) : CelNode
    {
        public override IEnumerable<CelNode> Parts => [Condition, Then, Else];
    }

    internal sealed record ListLiteral(List<CelNode> Items) : CelNode
    {
        public override IEnumerable<CelNode> Parts => Items;
    }

    internal sealed record MapLiteral(List<(CelNode Key, CelNode Value)> Entries) : CelNode
    {
        public override IEnumerable<CelNode> Parts => Entries.SelectMany(e => (CelNode[])[e.Key, e.Value]);
    }
}
