namespace Weft.Ovsdb;

/// <summary>commit, abort, comment and assert (RFC 7047 sections 5.2.7 to 5.2.10).</summary>
public sealed class ControlOperation : Operation
{
    private readonly Action<OvsdbJsonWriter> _members;

    internal ControlOperation(string name, Action<OvsdbJsonWriter> members)
        : base(name, null) => _members = members;

    internal override void WriteMembers(OvsdbJsonWriter writer) => _members(writer);
}
