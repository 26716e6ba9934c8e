using System.Diagnostics;
using System.Net;
using System.Text;
using Weft.Agent.Dns;

namespace Weft.Agent.Tests.Fuzzing;

/// <summary>Damages DNS questions. They are taken as questions or as nothing, and every answer to one is a whole message of at most 512 bytes with its number.</summary>
internal sealed class DnsFuzzer(int seed)
{
    private static readonly byte[][] Seeds =
    [
        Question("db-0.db.blue.svc.cluster.local", DnsMessage.TypeA), Question("example.com", DnsMessage.TypeAaaa), Question("", 255), Question(string.Join('.', Enumerable.Repeat(new string('x', 63), 3)), 1),
    ];

    private static readonly IPAddress[] Addresses = [.. Enumerable.Range(1, 40).Select(i => IPAddress.Parse(i % 2 == 0 ? $"10.0.0.{i}" : $"fd00::{i:x}"))];
    private readonly Random _random = new(seed);

    /// <summary>Packets that were taken as questions.</summary>
    public int Taken { get; private set; }

    /// <summary>Runs <paramref name="count"/> packets; the findings as text, with the packet in hex.</summary>
    public List<string> Run(int count)
    {
        var findings = new List<string>();
        for (var i = 0; i < count && findings.Count < 10; i++)
        {
            var packet = Damaged();
            var started = Stopwatch.GetTimestamp();
            try
            {
                if (DnsMessage.Read(packet) is { } question)
                {
                    Taken++;
                    if (Problem(question, question.Answer(_random.Next(6), Addresses)) is { } problem)
                    {
                        findings.Add($"{problem}: {Convert.ToHexString(packet)}");
                    }
                }
            }
            catch (Exception e)
            {
                findings.Add($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}\n{Convert.ToHexString(packet)}");
            }

            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(1))
            {
                findings.Add($"{Stopwatch.GetElapsedTime(started)}: {Convert.ToHexString(packet)}");
            }
        }

        return findings;
    }

    private static byte[] Question(string name, ushort type)
    {
        var message = new List<byte> { 0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        return [.. message, 0, (byte)(type >> 8), (byte)type, 0, 1];
    }

    private static string? Problem(DnsMessage question, byte[] answer) =>
        answer.Length is < 12 or > 512 ? $"an answer of {answer.Length} bytes"
        : !answer.AsSpan(0, 2).SequenceEqual(question.Query.Span[..2]) ? "an answer to another question"
        : question.Name.Length > 255 ? "a name of more than 255 characters"
        : null;

    private byte[] Damaged()
    {
        var packet = Seeds[_random.Next(Seeds.Length)].ToList();
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            var at = _random.Next(packet.Count + 1);
            switch (_random.Next(5))
            {
                case 0 when at < packet.Count:
                    packet[at] = (byte)_random.Next(256);
                    break;
                case 1 when at < packet.Count:
                    packet.RemoveRange(at, _random.Next(1, Math.Min(8, packet.Count - at) + 1));
                    break;
                case 2:
                    packet.InsertRange(at, Enumerable.Range(0, _random.Next(1, 600)).Select(_ => (byte)_random.Next(256)));
                    break;
                case 3:
                    packet.Insert(at, (byte)(0xC0 | _random.Next(64)));
                    break;
                default:
                    packet.RemoveRange(at, packet.Count - at);
                    break;
            }
        }

        return [.. packet];
    }
}
