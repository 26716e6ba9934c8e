using System.Diagnostics;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.TestSupport;

namespace Weft.Bench.OpenFlowBench;

/// <summary>One way to install the flows.</summary>
/// <param name="Name">Its name in the figures.</param>
/// <param name="Run">Installs, and returns when the switch has them.</param>
internal sealed record InstallWay(string Name, Func<Task> Run);

/// <summary>Installs the same flows in one switch in several ways, and compares them.</summary>
/// <remarks>
/// Fair to all: the ways take turns, each round begins with another one, every one finds an empty switch that has come to rest
/// (ovs-vswitchd frees the old flows in the background, which takes as much time as installing them), the first round does not count.
/// </remarks>
internal sealed class InstallBenchmark(OpenFlowSwitch connection, VSwitchdProcess process)
{
    private const int Rounds = 9;

    /// <summary>The first way is ours, the second the replay, the third ovs-ofctl.</summary>
    public async Task RunAsync(InstallWay[] ways)
    {
        var clock = ways.Select(_ => new List<double>()).ToArray();
        var switchCpu = ways.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round <= Rounds; round++)
        {
            for (var turn = 0; turn < ways.Length; turn++)
            {
                var way = (round + turn) % ways.Length;
                var (seconds, cpu) = await TimedAsync(ways[way].Run);
                if (round > 0)
                {
                    clock[way].Add(seconds);
                    switchCpu[way].Add(cpu);
                }
            }
        }

        new Figure("openflow.install_100k_flows_vs_ovs_ofctl_bundle", Median(clock[0]), Median(clock[2]), "s").Print();
        new Figure("openflow.install_100k_flows_vs_preencoded_replay", Median(clock[0]), Median(clock[1]), "s").Print();
        new Figure("openflow.install_100k_flows_switch_cpu_vs_replay", Median(switchCpu[0]), Median(switchCpu[1]), "s").Print();
    }

    /// <summary>The middle one.</summary>
    public static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private async Task<(double Seconds, double SwitchCpu)> TimedAsync(Func<Task> install)
    {
        (await connection.ApplyAsync([FlowMod.DeleteAll()])).ThrowIfFailed();
        await connection.BarrierAsync();
        await RestAsync();
        GC.Collect();
        var cpu = SwitchCpu();
        var clock = Stopwatch.StartNew();
        await install();
        return (clock.Elapsed.TotalSeconds, (SwitchCpu() - cpu).TotalSeconds);
    }

    /// <summary>Waits until the switch uses next to no processor time.</summary>
    private async Task RestAsync()
    {
        var window = TimeSpan.FromMilliseconds(200);
        for (var last = SwitchCpu(); ;)
        {
            await Task.Delay(window);
            var now = SwitchCpu();
            if (now - last < window / 10)
            {
                return;
            }

            last = now;
        }
    }

    private TimeSpan SwitchCpu()
    {
        using var program = Process.GetProcessById(process.Process.Id);
        return program.TotalProcessorTime;
    }
}
