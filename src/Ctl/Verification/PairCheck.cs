using System.Text.Json.Nodes;

namespace Weft.Ctl.Verification;

/// <summary>Three answers to the question whether a pod reaches another.</summary>
/// <param name="From">The sender.</param>
/// <param name="To">The receiver.</param>
/// <param name="Packet">The packet.</param>
/// <param name="Intent">What the policies say.</param>
/// <param name="Simulator">What the flows say, in our simulator.</param>
/// <param name="Trace">What the switches say.</param>
/// <param name="Sentence">The trace's words.</param>
public sealed record PairCheck(string From, string To, string Packet, bool Intent, bool Simulator, bool Trace, string Sentence)
{
    /// <summary>True when all three are the same.</summary>
    public bool Agree => Intent == Simulator && Simulator == Trace;

    /// <summary>As an object for programs.</summary>
    public JsonObject ToJson() => new()
    {
        ["from"] = From, ["to"] = To, ["packet"] = Packet, ["intent"] = Intent, ["simulator"] = Simulator, ["trace"] = Trace, ["agree"] = Agree, ["sentence"] = Sentence,
    };
}
