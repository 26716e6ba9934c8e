using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Weft.Bench;

/// <summary>One measured figure, printed as one JSON line.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Ours">Our value.</param>
/// <param name="Peer">The other side's value, measured in the same run or given as the mark; null when there is none.</param>
/// <param name="Unit">The unit of both.</param>
public sealed record Figure(string Name, double Ours, double? Peer, string Unit)
{
    /// <summary>Prints it; the ratio is ours over the peer's.</summary>
    public void Print()
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteNumber("ours", Math.Round(Ours, 3));
            if (Peer is { } peer)
            {
                json.WriteNumber("peer", Math.Round(peer, 3));
                json.WriteNumber("ratio", Math.Round(Ours / peer, 3));
            }

            json.WriteString("unit", Unit);
            json.WriteEndObject();
        }

        Console.WriteLine(Encoding.UTF8.GetString(line.ToArray()));
    }

    /// <summary>The largest resident size of this process so far, in MB (10^6 bytes).</summary>
    public static double PeakMegabytes() => double.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1024 / 1e6;
}
