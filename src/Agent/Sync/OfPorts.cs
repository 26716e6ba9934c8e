using Weft.Agent.Plan.Pipeline;

namespace Weft.Agent.Sync;

/// <summary>Gives OpenFlow port numbers to pods: 1 to <see cref="BridgePorts.LastPod"/> in turn, so that a number is reused as late as possible.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class OfPorts
{
    private readonly HashSet<int> _used = [];
    private readonly Dictionary<string, int> _reserved = new(StringComparer.Ordinal);
    private int _last;

    /// <summary>The numbers in use.</summary>
    public int Count => _used.Count;

    /// <summary>Marks a number that a port already has.</summary>
    public void Use(int ofPort)
    {
        if (_used.Add(ofPort))
        {
            _last = Math.Max(_last, ofPort);
        }
    }

    /// <summary>Keeps a number that a port has already for the pod that will get the port.</summary>
    public void Reserve(string name, int ofPort)
    {
        Use(ofPort);
        _reserved[name] = ofPort;
    }

    /// <summary>Keeps the next free number for the pod that will get the port of this name.</summary>
    /// <exception cref="InvalidOperationException">All are in use.</exception>
    public int Reserve(string name) => _reserved[name] = Take();

    /// <summary>Takes the number that was kept for the port of this name, or else the next free one.</summary>
    /// <exception cref="InvalidOperationException">All are in use.</exception>
    public int TakeFor(string name) => _reserved.Remove(name, out var reserved) ? reserved : Take();

    /// <summary>Gives the number back that was kept for a port which nobody got.</summary>
    public void Forget(string name)
    {
        if (_reserved.Remove(name, out var reserved))
        {
            Release(reserved);
        }
    }

    /// <summary>Takes the next free number.</summary>
    /// <exception cref="InvalidOperationException">All are in use.</exception>
    public int Take()
    {
        for (var tried = 0; tried < BridgePorts.LastPod; tried++)
        {
            _last = (_last % BridgePorts.LastPod) + 1;
            if (_used.Add(_last))
            {
                return _last;
            }
        }

        throw new InvalidOperationException($"all {BridgePorts.LastPod} pod ports of the bridge are in use: remove pods from this node");
    }

    /// <summary>Gives a number back.</summary>
    public void Release(int ofPort) => _used.Remove(ofPort);
}
