using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Simulation;

/// <summary>One packet on its way. The limits are Open vSwitch's: 64 levels, 4,096 resubmits.</summary>
internal sealed partial class PacketRun(PipelineSimulator simulator, SimulationOptions options)
{
    private const int MaxDepth = 64;
    private const int MaxResubmits = 4096;
    private readonly SimulationResult _result = new();
    private readonly Queue<(SimulatedPacket Packet, byte Table)> _recirculated = new();
    private readonly ConnectionTable _connections = options.Connections ?? new ConnectionTable();
    private readonly Dictionary<byte, TableIndex> _learned = [];
    private readonly Stack<(UInt128 Value, int Bits)> _stack = new();
    private SimulatedPacket _packet = null!;
    private List<FlowAction> _actionSet = [];
    private int _resubmits;
    private int _tracked;
    private bool _exit;

    public SimulationResult Run(SimulatedPacket packet)
    {
        _packet = packet.Copy();
        _result.Final = _packet;
        Pipeline(options.FirstTable);
        while (_recirculated.TryDequeue(out var next) && _result.Stopped is null)
        {
            _packet = next.Packet;
            _result.Final = _packet;
            _actionSet = [];
            Pipeline(next.Table);
        }

        return _result;
    }

    private void Pipeline(byte table)
    {
        _exit = false;
        Search(table, 0);
        if (_actionSet.Count > 0)
        {
            RunActionSet();
        }
    }

    /// <summary>Looks the packet up and runs what it meets, through goto_table to the end.</summary>
    /// <param name="table">The first table.</param>
    /// <param name="depth">Levels above.</param>
    /// <param name="find">How the first flow is found; null as usual.</param>
    private void Search(byte table, int depth, Func<byte, Flow?>? find = null)
    {
        for (byte? at = table; at is { } current && !_exit;)
        {
            if (depth > MaxDepth || ++_resubmits > MaxResubmits)
            {
                _result.Stopped = depth > MaxDepth ? "resubmit depth exceeds 64" : "more than 4096 resubmits";
                _exit = true;
                return;
            }

            var flow = (find ?? Find)(current);
            find = null;
            _result.Steps.Add(new SimulationStep(depth, current, flow));
            at = flow is null ? null : Execute(flow, current, depth);
        }
    }

    private Flow? Find(byte table)
    {
        // Fragments other than the first have no ports; the caller's packet says so by zeros.
        var found = simulator.Table(table)?.Find(_packet);
        if (_learned.TryGetValue(table, out var learned) && learned.Find(_packet) is { } fresh && (found is null || fresh.Priority >= found.Priority))
        {
            return fresh;
        }

        return found;
    }

    private byte? Execute(Flow flow, byte table, int depth)
    {
        byte? next = null;
        foreach (var instruction in flow.Instructions.Instructions)
        {
            if (_exit)
            {
                break;
            }

            switch (instruction)
            {
                case ApplyActions apply: Apply(apply.Actions, table, depth); break;
                case Meter meter: Pass(meter.MeterId); break;
                case ClearActions: _actionSet.Clear(); break;
                case WriteActions write:
                    foreach (var action in write.Actions)
                    {
                        _actionSet.RemoveAll(a => a.GetType() == action.GetType() && (a is not SetField s || s.Field == ((SetField)action).Field));
                        _actionSet.Add(action);
                    }

                    break;
                case WriteMetadata metadata:
                    _packet[F.Metadata] = (_packet[F.Metadata] & ~(UInt128)metadata.Mask) | (metadata.Value & metadata.Mask);
                    break;
                case GotoTable go: next = go.Table; break;
            }
        }

        return _exit ? null : next;
    }

    /// <summary>A packet that a meter drops goes nowhere more.</summary>
    private void Pass(uint meter)
    {
        _result.Meters.Add(meter);
        if (options.PassesMeter?.Invoke(meter, _packet) == false)
        {
            _result.Stopped ??= $"meter {meter}";
            _actionSet.Clear();
            _exit = true;
        }
    }

    private void Apply(ActionList actions, byte table, int depth)
    {
        foreach (var action in actions)
        {
            if (_exit)
            {
                return;
            }

            Do(action, table, depth);
        }
    }

    /// <summary>The order of OpenFlow 1.3.5 section 5.10; group before output.</summary>
    private void RunActionSet()
    {
        var group = _actionSet.Find(a => a is ToGroup);
        foreach (var action in _actionSet.Where(a => a is not (Output or ToGroup)).OrderBy(Rank))
        {
            Do(action, 0, 0);
        }

        if ((group ?? _actionSet.FindLast(a => a is Output)) is { } last)
        {
            Do(last, 0, 0);
        }

        static int Rank(FlowAction action) => action switch
        {
            ChangeHeader { Operation: HeaderOperation.PopVlan or HeaderOperation.PopMpls } => 0,
            ChangeHeader { Operation: HeaderOperation.PushMpls } => 1,
            ChangeHeader { Operation: HeaderOperation.PushVlan } => 2,
            ChangeHeader => 3,
            _ => 4,
        };
    }
}
