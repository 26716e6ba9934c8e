using System.Text.Json;

namespace Weft.Lab.State;

/// <summary>What a lab consists of, written to its folder before and after every step of starting it.</summary>
public sealed record LabState
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>What was asked for.</summary>
    public required LabOptions Options { get; init; }

    /// <summary>True when <c>up</c> came to its end.</summary>
    public bool Complete { get; init; }

    /// <summary>The lab's control groups; null: it has none, and processes of the host network reach tenant pods as kubelet does.</summary>
    public Cluster.LabCgroups? Cgroups { get; init; }

    /// <summary>Why there are none; empty when there are.</summary>
    public string WhyNoCgroups { get; init; } = "";

    /// <summary>The processes in the order in which they were started.</summary>
    public IReadOnlyList<LabProcess> Processes { get; init; } = [];

    /// <summary>The nodes' names.</summary>
    public IEnumerable<string> Nodes => Enumerable.Range(1, Options.Nodes).Select(LabLayout.NodeName);

    /// <summary>Reads the state of a lab, or null when there is none (or it was cut off while it was written).</summary>
    public static LabState? Read(LabLayout layout)
    {
        try
        {
            return JsonSerializer.Deserialize<LabState>(File.ReadAllText(layout.StateFile), Json);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the state in one step: a reader sees the old or the new one.</summary>
    public void Write(LabLayout layout)
    {
        var part = layout.StateFile + ".part";
        File.WriteAllText(part, JsonSerializer.Serialize(this, Json));
        File.Move(part, layout.StateFile, overwrite: true);
    }

    /// <summary>The process with this role.</summary>
    /// <exception cref="LabException">There is none.</exception>
    public LabProcess Process(string role) =>
        Processes.FirstOrDefault(p => p.Role == role)
        ?? throw new LabException($"there is no '{role}'; there are: {string.Join(", ", Processes.Select(p => p.Role))}");
}

/// <summary>A process that the lab started.</summary>
/// <param name="Role">For example <c>controller</c> or <c>node1/agent</c>.</param>
/// <param name="Pid">Process id.</param>
/// <param name="StartTime">Clock ticks since boot (<c>/proc/PID/stat</c> field 22): tells the process from a later one with the same id.</param>
/// <param name="Log">Where its output goes.</param>
/// <param name="Command">What to run to start it again.</param>
public sealed record LabProcess(string Role, int Pid, long StartTime, string Log, IReadOnlyList<string> Command);
