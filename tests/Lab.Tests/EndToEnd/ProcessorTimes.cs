using System.Globalization;
using Weft.Lab.State;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>What the programs of a lab have used of the processors, in ms.</summary>
/// <param name="Switch">The main threads of ovs-vswitchd, which take ports and flows: computing, or waiting for a processor that others had.</param>
/// <param name="Agent">The agents, computing.</param>
/// <param name="Controller">The controllers, computing.</param>
public sealed record ProcessorTimes(double Switch, double Agent, double Controller)
{
    private const double MillisecondsPerTick = 10;
    private const double NanosecondsPerMillisecond = 1e6;

    /// <summary>Agents and controllers.</summary>
    public double Ours => Agent + Controller;

    /// <summary>Since the programs were started.</summary>
    public static ProcessorTimes Of(LabState state)
    {
        double Sum(Func<string, bool> role, Func<int, double> used) => state.Processes.Where(p => role(p.Role)).Sum(p => used(p.Pid));
        return new ProcessorTimes(
            Sum(r => r.EndsWith("/ovs-vswitchd", StringComparison.Ordinal), Busy), Sum(r => r.EndsWith("/agent", StringComparison.Ordinal), Used), Sum(r => r.StartsWith("controller", StringComparison.Ordinal), Used));
    }

    public static ProcessorTimes operator -(ProcessorTimes a, ProcessorTimes b) => new(a.Switch - b.Switch, a.Agent - b.Agent, a.Controller - b.Controller);

    public static ProcessorTimes operator /(ProcessorTimes a, int count) => new(a.Switch / count, a.Agent / count, a.Controller / count);

    public override string ToString() => $"ovs-vswitchd {Switch:0} ms, agent {Agent:0} ms, controller {Controller:0} ms";

    /// <summary>User and system time of a whole program (proc(5), stat: fields 14 and 15).</summary>
    private static double Used(int pid)
    {
        var text = File.ReadAllText($"/proc/{pid}/stat");
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return MillisecondsPerTick * (Number(fields[11]) + Number(fields[12]));
    }

    /// <summary>Time on a processor, and in a run queue, of the main thread (the kernel's sched-stats).</summary>
    private static double Busy(int pid)
    {
        var fields = File.ReadAllText($"/proc/{pid}/schedstat").Split(' ');
        return (Number(fields[0]) + Number(fields[1])) / NanosecondsPerMillisecond;
    }

    private static double Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
