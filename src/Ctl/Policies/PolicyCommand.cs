using System.CommandLine;

namespace Weft.Ctl.Policies;

/// <summary><c>weftctl policy</c>.</summary>
internal static class PolicyCommand
{
    public static Command Create() => new("policy", "Ask what network policies decide.")
    {
        CheckCommand.Create(), ExplainCommand.Create(), StatsCommand.Create(),
    };
}
