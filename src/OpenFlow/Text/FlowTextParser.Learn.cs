using System.Collections.Immutable;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Text;

/// <content>learn, conjunction, fin_timeout.</content>
internal sealed partial class FlowTextParser
{
    private static Conjunction ParseConjunction(string value)
    {
        var parts = value.Split(',', '/');
        if (parts.Length != 3)
        {
            throw new OpenFlowTextException($"conjunction({value}): conjunction(id,k/n) is right");
        }

        var (clause, clauses) = (NumberText.U8(parts[1].Trim(), "clause"), NumberText.U8(parts[2].Trim(), "clauses"));
        return clauses is >= 2 and <= 64 && clause >= 1 && clause <= clauses
            ? new Conjunction(NumberText.U32(parts[0].Trim(), "id"), clause, clauses)
            : throw new OpenFlowTextException($"conjunction({value}): 2 to 64 clauses, counted from 1");
    }

    private Learn ParseLearn(string value)
    {
        var learn = new Learn { Table = 1 };
        var specs = ImmutableArray.CreateBuilder<LearnSpec>();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            switch (key)
            {
                case "table": learn = learn with { Table = Table(v) }; break;
                case "priority": learn = learn with { Priority = NumberText.U16(v, key) }; break;
                case "idle_timeout": learn = learn with { IdleTimeout = NumberText.U16(v, key) }; break;
                case "hard_timeout": learn = learn with { HardTimeout = NumberText.U16(v, key) }; break;
                case "fin_idle_timeout": learn = learn with { FinIdleTimeout = NumberText.U16(v, key) }; break;
                case "fin_hard_timeout": learn = learn with { FinHardTimeout = NumberText.U16(v, key) }; break;
                case "cookie": learn = learn with { Cookie = NumberText.U64(v, key) }; break;
                case "send_flow_rem": learn = learn with { SendFlowRemoved = true }; break;
                case "delete_learned": learn = learn with { DeleteLearned = true }; break;
                case "limit": learn = learn with { Limit = NumberText.U32(v, key) }; break;
                case "result_dst": learn = learn with { ResultTarget = Range(v) }; break;
                default: specs.Add(Spec(key, v)); break;
            }
        }

        return learn with { Specs = specs.ToImmutable() };
    }

    private LearnSpec Spec(string key, string value)
    {
        if (key == "output")
        {
            return LearnSpec.Output(Range(value));
        }

        if (key == "load")
        {
            return Arrow(value, (from, to) => from.Contains('[', StringComparison.Ordinal)
                ? LearnSpec.Load(Range(from), Range(to))
                : LongNumber(from, Range(to)) is { } option ? LearnSpec.Load(option, Range(to))
                : LearnSpec.Load(NumberText.Parse(from, "load"), Range(to)));
        }

        var target = LearnTarget(key);
        if (value.Length == 0)
        {
            return LearnSpec.Match(target);
        }

        return value.Contains('[', StringComparison.Ordinal) ? LearnSpec.Match(target, Range(value))
            : LongNumber(value, target) is { } option ? LearnSpec.Match(target, option)
            : LearnSpec.Match(target, target.IsWhole ? Value(target.Field, value).Value : NumberText.Parse(value, key));
    }

    /// <summary>A number that 128 bits do not hold; null for others.</summary>
    /// <exception cref="OpenFlowTextException">It does not fit into the bits.</exception>
    private static OptionBits? LongNumber(string text, BitRange target)
    {
        if (NumberText.Long(text) is not { Length: > 16 } bytes)
        {
            return null;
        }

        var bits = (8 * bytes.Length) - System.Numerics.BitOperations.LeadingZeroCount((uint)bytes[0]) + 24;
        return bits <= target.Count ? new OptionBits(bytes) : throw new OpenFlowTextException($"{text} does not fit into the {target.Count} bits of {target}");
    }

    private static BitRange LearnTarget(string key) => Range(key);

    private static FinTimeout ParseFinTimeout(string value)
    {
        ushort idle = 0;
        ushort hard = 0;
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            _ = key switch
            {
                "idle_timeout" => idle = NumberText.U16(v, key),
                "hard_timeout" => hard = NumberText.U16(v, key),
                _ => throw new OpenFlowTextException($"fin_timeout: unknown key {key}"),
            };
        }

        return new FinTimeout(idle, hard);
    }
}
