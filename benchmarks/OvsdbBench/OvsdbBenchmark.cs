using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;

namespace Weft.Bench.OvsdbBench;

/// <summary>The OVSDB client beside <c>ovsdb-client</c> and the Python IDL, on one real server in one run.</summary>
internal static class OvsdbBenchmark
{
    private const int Rows = 100_000;
    private const int Commits = 20_000;
    private const int Rounds = 3;

    /// <summary>Without arguments: everything. <c>load</c> and <c>commit</c> are this program's own side in a process of its own.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["load", var remote])
        {
            return Report(await OwnSide.LoadAsync(remote, Rows));
        }

        if (args is ["commit", var server, var depth])
        {
            return Report(await OwnSide.CommitAsync(server, Commits, int.Parse(depth, CultureInfo.InvariantCulture)));
        }

        await using var database = await OvsdbServerProcess.StartAsync();
        await database.VsctlAsync(false, "init");
        await CommitRatesAsync(database);
        await AddedLatency.MeasureAsync(database);
        await FillAsync(database);
        await LoadsAsync(database);
        return 0;
    }

    private static async Task CommitRatesAsync(OvsdbServerProcess database)
    {
        List<double> single = [], pipelined = [], peer = [];
        for (var round = 0; round < Rounds; round++)
        {
            single.Add(Commits / (await OwnAsync("commit", database.Remote, "1")).Seconds);
            peer.Add(Commits / (await IdlAsync("commit", database.Remote, Commits)).Seconds);
            pipelined.Add(Commits / (await OwnAsync("commit", database.Remote, "64")).Seconds);
        }

        new Figure("ovsdb.commit.rate", Median(single), Median(peer), "transactions/s, one at a time, python IDL").Print();
        new Figure("ovsdb.commit.pipelined", Median(pipelined), Median(peer), "transactions/s, 64 under way, python IDL one at a time").Print();
    }

    private static async Task LoadsAsync(OvsdbServerProcess database)
    {
        List<Measured> own = [], idl = [];
        List<double> monitor = [];
        for (var round = 0; round < Rounds; round++)
        {
            own.Add(await OwnAsync("load", database.Remote));
            idl.Add(await IdlAsync("load", database.Remote, Rows));
            monitor.Add(await MonitorAsync(database));
        }

        new Figure("ovsdb.load.time", Median(own.Select(m => m.Seconds)), Median(idl.Select(m => m.Seconds)), $"s for {Rows} rows, python IDL").Print();
        new Figure("ovsdb.load.memory", Median(own.Select(m => m.Megabytes)), Median(idl.Select(m => m.Megabytes)), $"MB peak RSS with {Rows} rows, python IDL").Print();
        new Figure("ovsdb.load.time.monitor", Median(own.Select(m => m.Seconds)), Median(monitor), $"s for {Rows} rows, ovsdb-client monitor").Print();
    }

    private static async Task FillAsync(OvsdbServerProcess database)
    {
        await using var client = OvsdbClient.Start(new OvsdbClientOptions { Endpoints = [OvsdbEndpoint.Unix(database.Socket)] });
        await client.WaitUntilLiveAsync();
        foreach (var batch in Enumerable.Range(0, Rows).Chunk(5_000))
        {
            var transaction = new Transaction();
            foreach (var i in batch)
            {
                transaction.Insert<Queue>()
                    .Set(Queue.Dscp, i % 64)
                    .Set(Queue.ExternalIds, OvsdbMap.Of(("owner", "somebody"), ("name", $"namespace-{i % 500}/pod-{i}"), ("mac", $"0a:58:0a:00:{i / 256 % 256:x2}:{i % 256:x2}")))
                    .Set(Queue.OtherConfig, OvsdbMap.Of(("min-rate", "1000"), ("max-rate", $"{1000 + i}")));
            }

            (await client.CommitAsync(transaction)).ThrowIfFailed();
        }
    }

    /// <summary>How long <c>ovsdb-client monitor</c> takes until it has printed every row.</summary>
    private static async Task<double> MonitorAsync(OvsdbServerProcess database)
    {
        var info = new ProcessStartInfo("ovsdb-client") { RedirectStandardOutput = true, UseShellExecute = false };
        foreach (var argument in new[] { "--format=json", "monitor", database.Remote, "Open_vSwitch", "Queue", "dscp,external_ids,other_config" })
        {
            info.ArgumentList.Add(argument);
        }

        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(info)!;
        try
        {
            // One JSON document with every row comes first; rows end with "]]," or the like, so count the word "initial".
            var seen = 0;
            var buffer = new char[1 << 16];
            var tail = "";
            while (seen < Rows)
            {
                var read = await process.StandardOutput.ReadAsync(buffer);
                if (read == 0)
                {
                    throw new InvalidOperationException($"ovsdb-client monitor ended after {seen} rows");
                }

                var text = tail + new string(buffer, 0, read);
                seen += CountOf(text, "\"initial\"");
                tail = text[^Math.Min(text.Length, "\"initial\"".Length - 1)..];
            }

            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static int CountOf(string text, string word)
    {
        var count = 0;
        for (var at = text.IndexOf(word, StringComparison.Ordinal); at >= 0; at = text.IndexOf(word, at + word.Length, StringComparison.Ordinal))
        {
            count++;
        }

        return count;
    }

    private static async Task<Measured> OwnAsync(params string[] arguments) =>
        Read(await ChildProcess.RunAsync("dotnet", [typeof(OvsdbBenchmark).Assembly.Location, "ovsdb", .. arguments], timeout: TimeSpan.FromMinutes(2)));

    private static async Task<Measured> IdlAsync(string work, string remote, int count) => Read(await ChildProcess.RunAsync(
        "/usr/bin/python3",
        [Path.Combine(AppContext.BaseDirectory, "OvsdbBench", "idl_peer.py"), work, remote, OvsdbServerProcess.OpenVSwitchSchema, count.ToString(CultureInfo.InvariantCulture)],
        timeout: TimeSpan.FromMinutes(5)));

    private static Measured Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new Measured(document.RootElement.GetProperty("seconds").GetDouble(), document.RootElement.GetProperty("megabytes").GetDouble());
    }

    private static int Report(Measured measured)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"seconds\":{measured.Seconds},\"megabytes\":{measured.Megabytes}}}"));
        return 0;
    }

    internal static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    /// <summary>What one process measured of itself.</summary>
    internal sealed record Measured(double Seconds, double Megabytes);
}
