using System.Text.Json;

namespace Weft.Ctl.Support;

internal static class Json
{
    /// <summary>For people to read.</summary>
    public static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
}
