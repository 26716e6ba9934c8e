using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Weft.Lab.State;

/// <summary>Processes of this machine, by <c>/proc</c>.</summary>
public static partial class ProcessTable
{
    public const int SigTerm = 15;
    public const int SigKill = 9;

    /// <summary>Start time of a live process in clock ticks since boot; null when it does not run (zombies do not).</summary>
    public static long? StartTime(int pid)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            // The second field may hold spaces and brackets; the rest is counted from its end.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>True while exactly this process runs.</summary>
    public static bool Runs(LabProcess process) => StartTime(process.Pid) == process.StartTime;

    /// <summary>Every process that carries <see cref="LabLayout.ProcessMark"/> with the lab's name, except this one and those that it was started by.</summary>
    public static IReadOnlyList<int> OfLab(string name)
    {
        var mark = Encoding.UTF8.GetBytes($"{LabLayout.ProcessMark}={name}\0");
        var spared = Ancestors(Environment.ProcessId).ToHashSet();
        return [.. All().Where(pid => !spared.Contains(pid) && StartTime(pid) is not null && HasMark(pid, mark))];
    }

    /// <summary>Every process in one of the network namespaces.</summary>
    public static IReadOnlyList<int> InNamespaces(IEnumerable<Net.Netns> namespaces)
    {
        var wanted = namespaces.Select(ns => Inode(ns.Path)).OfType<ulong>().ToHashSet();
        return wanted.Count == 0
            ? []
            : [.. All().Where(pid => Inode(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net")) is { } inode && wanted.Contains(inode))];
    }

    /// <summary>Ends processes: politely, then after <paramref name="patience"/> by force. Returns when they are gone.</summary>
    public static async Task EndAsync(IReadOnlyCollection<int> pids, TimeSpan patience, CancellationToken ct)
    {
        var processes = pids.Select(pid => (Pid: pid, Start: StartTime(pid))).Where(p => p.Start is not null).ToList();
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        processes.ForEach(p => Signal(p.Pid, SigTerm));
        var forced = false;
        while (processes.Any(p => StartTime(p.Pid) == p.Start))
        {
            if (!forced && System.Diagnostics.Stopwatch.GetElapsedTime(begun) > patience)
            {
                forced = true;
                processes.Where(p => StartTime(p.Pid) == p.Start).ToList().ForEach(p => Signal(p.Pid, SigKill));
            }

            await Task.Delay(10, ct);
        }
    }

    /// <summary>Sends a signal; a process that is gone is no error.</summary>
    public static void Signal(int pid, int signal) => _ = Kill(pid, signal);

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(Path.GetFileName)
        .Where(name => char.IsAsciiDigit(name![0]))
        .Select(name => int.Parse(name!, CultureInfo.InvariantCulture));

    private static bool HasMark(int pid, byte[] mark)
    {
        try
        {
            var environment = File.ReadAllBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"));
            var at = environment.AsSpan().IndexOf(mark);
            return at == 0 || (at > 0 && environment[at - 1] == 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended in between.
            return false;
        }
    }

    private static IEnumerable<int> Ancestors(int pid)
    {
        while (pid > 1)
        {
            yield return pid;
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            pid = int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
    }

    private static ulong? Inode(string path)
    {
        // struct statx: stx_ino is the 64-bit word at byte 32.
        Span<byte> buffer = stackalloc byte[256];
        const int AtCurrentDirectory = -100;
        const uint WantInode = 0x100;
        return Statx(AtCurrentDirectory, path, 0, WantInode, ref MemoryMarshal.GetReference(buffer)) == 0
            ? BitConverter.ToUInt64(buffer[32..])
            : null;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte buffer);
}
