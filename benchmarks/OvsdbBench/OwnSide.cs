using System.Diagnostics;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;

namespace Weft.Bench.OvsdbBench;

/// <summary>Our part of the work, in a process of its own: just-in-time compilation and garbage count.</summary>
internal static class OwnSide
{
    /// <summary>From connecting until every row is there.</summary>
    public static async Task<OvsdbBenchmark.Measured> LoadAsync(string remote, int rows)
    {
        var start = Stopwatch.GetTimestamp();
        await using var client = OvsdbClient.Start(Options(remote, MonitorSelection.None.Add<Queue>(Queue.Dscp, Queue.ExternalIds, Queue.OtherConfig)));
        await client.Replica.WaitForAsync(s => s.Tables["Queue"].Rows.Count >= rows);
        return new OvsdbBenchmark.Measured(Stopwatch.GetElapsedTime(start).TotalSeconds, Figure.PeakMegabytes());
    }

    /// <summary>Transactions that each change one row which is followed too, so many under way at once.</summary>
    public static async Task<OvsdbBenchmark.Measured> CommitAsync(string remote, int count, int depth)
    {
        await using var client = OvsdbClient.Start(Options(remote, MonitorSelection.None.Add<OpenVSwitchTable>(OpenVSwitchTable.ExternalIds)));
        var row = (await client.WaitUntilLiveAsync()).Rows<OpenVSwitchTable>().Single().Uuid;
        // Compiled code is what runs for days.
        await CommitAllAsync(client, row, 5_000, depth);
        var start = Stopwatch.GetTimestamp();
        await CommitAllAsync(client, row, count, depth);
        return new OvsdbBenchmark.Measured(Stopwatch.GetElapsedTime(start).TotalSeconds, Figure.PeakMegabytes());
    }

    private static async Task CommitAllAsync(OvsdbClient client, Guid row, int count, int depth)
    {
        var next = 0;
        async Task WorkAsync()
        {
            for (int i; (i = Interlocked.Increment(ref next)) <= count;)
            {
                var transaction = new Transaction();
                transaction.Update<OpenVSwitchTable>(row).Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("n", $"{i}-{depth}")));
                (await client.CommitAsync(transaction)).ThrowIfFailed();
            }
        }

        await Task.WhenAll(Enumerable.Range(0, depth).Select(_ => WorkAsync()));
    }

    private static OvsdbClientOptions Options(string remote, MonitorSelection selection) =>
        new() { Endpoints = [OvsdbEndpoint.Parse(remote)], Monitor = selection };
}
