using System.Diagnostics;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;

namespace Weft.Bench.OpenFlowBench;

/// <summary>Encode and decode rates of flow mods on one core, and bytes allocated per message.</summary>
internal static class CodecBenchmark
{
    private const double TargetPerSecond = 3_000_000;

    // The runtime compiles hot code again after a while, on a busy machine after a long one; ten rounds are over before that.
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(2);

    public static void Run(Flow[] flows)
    {
        var buffer = new MessageBuffer();
        Encode(flows, buffer);
        var (encodeRate, encodeBytes) = Measure(flows.Length, () => Encode(flows, buffer));
        new Figure("openflow.encode_flow_mods_per_second", encodeRate, TargetPerSecond, "1/s").Print();
        new Figure("openflow.encode_allocated_per_message", encodeBytes, MessageObjectBytes(flows), "B").Print();
        var frames = flows.Select(f => FlowMod.Add(f).ToBytes(1)).ToArray();
        var (decodeRate, decodeBytes) = Measure(frames.Length, () => Decode(frames));
        new Figure("openflow.decode_flow_mods_per_second", decodeRate, TargetPerSecond, "1/s").Print();
        new Figure("openflow.decode_allocated_per_message", decodeBytes, null, "B").Print();
    }

    private static (double PerSecond, double Bytes) Measure(int count, Action run)
    {
        run();
        var best = double.MaxValue;
        double bytes = 0;
        for (var whole = Stopwatch.StartNew(); whole.Elapsed < Long;)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var clock = Stopwatch.StartNew();
            run();
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
            bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return (count / best, bytes / count);
    }

    /// <summary>The message object itself: what a caller makes per flow mod.</summary>
    private static double MessageObjectBytes(Flow[] flows)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var mod = FlowMod.Add(flows[0]);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        GC.KeepAlive(mod);
        return bytes;
    }

    private static void Encode(Flow[] flows, MessageBuffer buffer)
    {
        buffer.Clear();
        uint xid = 0;
        foreach (var flow in flows)
        {
            buffer.Append(FlowMod.Add(flow), xid++);
        }
    }

    private static void Decode(byte[][] frames)
    {
        foreach (var frame in frames)
        {
            MessageCodec.Decode(frame, out _);
        }
    }
}
