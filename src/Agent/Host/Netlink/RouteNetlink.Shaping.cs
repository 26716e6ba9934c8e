namespace Weft.Agent.Host.Netlink;

public sealed partial class RouteNetlink
{
    private const ushort NewQdisc = 36;
    private const uint RootHandle = 0xffffffff;
    private const ushort TcaKind = 1;
    private const ushort TcaOptions = 2;
    private const ushort TbfParms = 1;
    private const ushort TbfRate64 = 4;
    private const ushort TbfBurst = 6;
    private const byte LinkLayerEthernet = 1;

    /// <summary>The kind of queue that <see cref="LimitRate"/> gives an interface.</summary>
    public const string RateLimiter = "tbf";

    /// <summary>Adds a request that limits what leaves through an interface, by a token bucket (tc-tbf(8)); an earlier limit is replaced.</summary>
    /// <param name="batch">Where it is added.</param>
    /// <param name="index">The interface.</param>
    /// <param name="rate">Bytes per second.</param>
    /// <param name="burst">Bytes that may leave at once after a pause.</param>
    /// <param name="queue">Bytes that may wait; what comes then is dropped.</param>
    public static void LimitRate(NetlinkBatch batch, int index, long rate, uint burst, uint queue)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(NewQdisc, NetlinkFlags.Create | NetlinkFlags.Replace, $"limit interface {index} to {rate} bytes per second (kernel option NET_SCH_TBF)");
        Span<byte> header = stackalloc byte[20]; // struct tcmsg {u8 family, u8 pad, u16 pad, s32 index, u32 handle, u32 parent, u32 info}
        header.Clear();
        BitConverter.TryWriteBytes(header[4..], index);
        BitConverter.TryWriteBytes(header[12..], RootHandle);
        batch.Writer.Raw(header);
        batch.Writer.Attribute(TcaKind, RateLimiter);
        var options = batch.Writer.BeginNested(TcaOptions);

        // struct tc_tbf_qopt {tc_ratespec rate, peak; u32 limit, buffer, mtu}; tc_ratespec {u8 cell_log, linklayer, u16 overhead, s16 cell_align, u16 mpu, u32 rate}
        Span<byte> parameters = stackalloc byte[36];
        parameters.Clear();
        parameters[1] = LinkLayerEthernet;
        BitConverter.TryWriteBytes(parameters[8..], (uint)Math.Min(rate, uint.MaxValue));
        BitConverter.TryWriteBytes(parameters[24..], queue);
        batch.Writer.Attribute(TbfParms, parameters);
        if (rate >= uint.MaxValue)
        {
            batch.Writer.Attribute(TbfRate64, BitConverter.GetBytes(rate));
        }

        batch.Writer.Attribute(TbfBurst, burst);
        batch.Writer.EndNested(options);
        batch.End();
    }
}
