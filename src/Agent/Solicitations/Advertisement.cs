using System.Buffers.Binary;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Solicitations;

/// <summary>Makes a neighbour advertisement of a solicitation that a flow has turned round already (<see cref="Plan.Features.Neighbours.ByAgent"/>).</summary>
internal static class Advertisement
{
    private const int Ip = 14;
    private const int Icmp = Ip + 40;
    private const int Target = Icmp + 8;
    private const int Option = Target + 16;
    private const byte Icmp6 = 58;
    private const byte HopLimit = 255;
    private const byte Solicitation = 135;
    private const byte TypeAdvertisement = 136;
    private const byte TargetLinkLayer = 2;

    // RFC 4861 section 4.4.
    private const byte RouterFlag = 0x80;
    private const byte SolicitedOverride = 0x60;
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);

    /// <summary>The frame that answers, or null where none may be sent.</summary>
    /// <param name="turned">A solicitation from the target to who asks for it: the Ethernet source is the answer.</param>
    /// <remarks>RFC 4861 section 7.1.1: what came from another link, or is damaged, has no answer; nor has a test for duplicates, which comes from nobody.</remarks>
    public static byte[]? Of(ReadOnlySpan<byte> turned)
    {
        if (turned.Length < Option || BinaryPrimitives.ReadUInt16BigEndian(turned[12..]) != 0x86dd || turned[Ip + 6] != Icmp6 || turned[Ip + 7] != HopLimit
            || turned[Icmp] != Solicitation || turned[Icmp + 1] != 0 || !turned[(Ip + 8)..(Ip + 24)].SequenceEqual(turned[Target..Option])
            || !turned[(Ip + 24)..Icmp].ContainsAnyExcept((byte)0))
        {
            return null;
        }

        var frame = new byte[Option + 8];
        turned[..Option].CopyTo(frame);
        var icmp = frame.AsSpan(Icmp);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(Ip + 4), (ushort)icmp.Length);
        icmp[..8].Clear();
        icmp[0] = TypeAdvertisement;
        icmp[4] = (byte)(SolicitedOverride | (MacAddress.From(turned[6..12]) == RouterMac ? RouterFlag : 0));
        (frame[Option], frame[Option + 1]) = (TargetLinkLayer, 1);
        turned[6..12].CopyTo(frame.AsSpan(Option + 2));
        var pseudo = InternetChecksum.Sum(turned[(Ip + 8)..Icmp]) + Icmp6 + (uint)icmp.Length;
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], InternetChecksum.Of(icmp, pseudo));
        return frame;
    }
}
