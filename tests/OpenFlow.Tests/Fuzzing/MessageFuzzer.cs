using System.Diagnostics;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Tests;
using Weft.OpenFlow.Text;

namespace Weft.OpenFlow.Fuzzing;

/// <summary>Damages good messages and decodes, walks and prints what comes of them.</summary>
/// <remarks>A finding is any exception that is not the library's, more than 4 MB allocated, or more than a second, for one message.</remarks>
public sealed class MessageFuzzer(int seed)
{
    private const long MaxAllocated = 4_000_000;
    private static readonly byte[][] Seeds = MakeSeeds();
    private readonly Random _random = new(seed);

    /// <summary>Runs <paramref name="count"/> messages; the findings as text, with the message in hex.</summary>
    public List<string> Run(int count)
    {
        var findings = new List<string>();
        for (var i = 0; i < count && findings.Count < 20; i++)
        {
            var frame = Damaged();
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            try
            {
                Exercise(frame, print: i % 8 == 0);
            }
            catch (OpenFlowException)
            {
                // What damaged input may do.
            }
            catch (Exception e)
            {
                findings.Add($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}\n{Convert.ToHexString(frame)}");
            }

            if (GC.GetAllocatedBytesForCurrentThread() - allocated > MaxAllocated || Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(1))
            {
                findings.Add($"{GC.GetAllocatedBytesForCurrentThread() - allocated} bytes, {Stopwatch.GetElapsedTime(started)}: {Convert.ToHexString(frame)}");
            }
        }

        return findings;
    }

    private static void Exercise(byte[] frame, bool print)
    {
        if (print)
        {
            MessageText.Format(frame);
        }

        var message = MessageCodec.Decode(frame, out _);
        switch (message)
        {
            case FlowMod mod:
                foreach (var condition in mod.Flow.Match)
                {
                    _ = condition.Value;
                }

                foreach (var instruction in mod.Flow.Instructions.Instructions)
                {
                    _ = instruction;
                }

                foreach (var action in mod.Flow.Instructions.Applied)
                {
                    _ = action;
                }

                break;
            case Multipart { IsReply: true, Kind: MultipartType.Flow } part:
                MultipartBodies.ReadFlows(part.Body.Span, new List<FlowStats>());
                break;
        }
    }

    /// <summary>The next damaged message.</summary>
    /// <param name="keepLength">The length in the header is right, as what frames a stream would make it.</param>
    public byte[] Next(bool keepLength)
    {
        var frame = Damaged();
        if (keepLength && frame.Length <= ushort.MaxValue)
        {
            frame[2] = (byte)(frame.Length >> 8);
            frame[3] = (byte)frame.Length;
        }

        return frame;
    }

    private byte[] Damaged()
    {
        var frame = (byte[])Seeds[_random.Next(Seeds.Length)].Clone();
        for (var n = _random.Next(1, 4); n > 0 && frame.Length > 8; n--)
        {
            var at = _random.Next(frame.Length);
            switch (_random.Next(6))
            {
                case 0: frame[at] ^= (byte)(1 << _random.Next(8)); break;
                case 1: frame[at] = (byte)_random.Next(256); break;
                case 2: frame[at] = _random.Next(2) == 0 ? (byte)0xff : (byte)0; break;
                case 3: frame = frame[..Math.Max(8, at)]; break;
                case 4: frame = [.. frame[..Math.Max(8, at)], .. frame.AsSpan(_random.Next(frame.Length))]; break;
                default:
                    var even = at & ~1;
                    frame[even] = 0;
                    frame[Math.Min(even + 1, frame.Length - 1)] = (byte)(_random.Next(32) * 8);
                    break;
            }
        }

        // Mostly with a right outer length: the inside is where decoders live.
        if (frame.Length <= ushort.MaxValue && _random.Next(16) != 0)
        {
            frame[2] = (byte)(frame.Length >> 8);
            frame[3] = (byte)frame.Length;
        }

        return frame;
    }

    private static byte[][] MakeSeeds()
    {
        var flows = Samples.Flows.Select(t => FlowText.Parse(t)).ToList();
        var seeds = new List<byte[]>();
        seeds.AddRange(flows.Select(f => FlowMod.Add(f).ToBytes(1)));
        seeds.AddRange(flows.Select(f => new BundleAdd(1, 3, FlowMod.Add(f)) { InnerXid = 2 }.ToBytes(2)));
        seeds.AddRange(flows.Select(f => new FlowRemoved(f, 1, new FlowDuration(1, 2), 3, 4).ToBytes(3)));
        var group = GroupText.Parse("group_id=1,type=select,bucket=weight:5,actions=output:1,bucket=actions=ct(commit,table=5,nat(dst=10.0.0.1:80))");
        seeds.Add(new GroupMod(GroupCommand.Add, group).ToBytes(4));
        seeds.AddRange(MessageCatalogue.All.Select(m => m.ToBytes(MessageCatalogue.Xid)));
        return [.. seeds];
    }
}
