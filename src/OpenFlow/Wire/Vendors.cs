namespace Weft.OpenFlow.Wire;

/// <summary>Experimenter numbers.</summary>
internal static class Vendors
{
    public const uint Nicira = 0x00002320;
    public const uint Onf = 0x4f4e4600;
}
