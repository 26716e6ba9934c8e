using Microsoft.Extensions.Logging;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;

namespace Weft.Agent.Sync;

/// <summary>Limits what flows send to the agent, in the switch: nobody's denied packets may keep it from forwarding.</summary>
/// <remarks>Used by the agent's loop only.</remarks>
internal sealed partial class PacketLimit(OpenFlowSwitch connection, ILogger logger)
{
    private const uint PacketsPerSecond = 1000;

    /// <summary>OFPM_CONTROLLER: the meter of everything that goes to controllers.</summary>
    private const uint ControllerMeter = 0xfffffffe;
    private static readonly MeterEntry Meter = new(ControllerMeter, MeterFlags.PacketsPerSecond | MeterFlags.Burst, [new MeterBand(PacketsPerSecond, PacketsPerSecond)]);
    private bool _hasMeter;

    /// <summary>Sets the limit. A data path without meters is left with the agent's own limits.</summary>
    public async Task SetAsync(CancellationToken ct)
    {
        var failures = await connection.SendAsync([MeterMod.Delete(ControllerMeter), new MeterMod(MeterCommand.Add, Meter)], ct).ConfigureAwait(false);
        _hasMeter = failures.Length == 0;
        if (!_hasMeter)
        {
            LogNoMeter(logger, failures[0].Error.Name);
        }
    }

    /// <summary>Reads the limit back, and sets it again when somebody changed it.</summary>
    /// <returns>Whether somebody had.</returns>
    public async Task<bool> RepairAsync(CancellationToken ct)
    {
        if (!_hasMeter || (await connection.DumpMetersAsync(ct).ConfigureAwait(false)).FirstOrDefault(m => m.Id == ControllerMeter) is var found && found == Meter)
        {
            return false;
        }

        LogForeign(logger, found is null ? "was deleted" : $"was changed to {found}");
        await SetAsync(ct).ConfigureAwait(false);
        return true;
    }

    [LoggerMessage(3746, LogLevel.Debug, "The switch takes no meter for packets to the agent ({Error})")]
    private static partial void LogNoMeter(ILogger logger, string error);

    [LoggerMessage(3735, LogLevel.Warning, "Somebody else changed the meter of packets to the agent, putting it right: it {What}")]
    private static partial void LogForeign(ILogger logger, string what);
}
