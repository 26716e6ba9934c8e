using System.Collections.Frozen;

namespace Weft.OpenFlow.Text;

/// <summary>Names of tables and ports for text, both ways. Without a map, numbers are printed.</summary>
/// <param name="tables">Names by table.</param>
/// <param name="ports">Names by port number.</param>
public sealed class NameMap(IReadOnlyDictionary<byte, string>? tables = null, IReadOnlyDictionary<uint, string>? ports = null)
{
    private readonly FrozenDictionary<byte, string> _tables = (tables ?? new Dictionary<byte, string>()).ToFrozenDictionary();
    private readonly FrozenDictionary<uint, string> _ports = (ports ?? new Dictionary<uint, string>()).ToFrozenDictionary();

    /// <summary>The table's name, or null.</summary>
    public string? Table(byte table) => _tables.GetValueOrDefault(table);

    /// <summary>The port's name, or null.</summary>
    public string? Port(uint port) => _ports.GetValueOrDefault(port);

    /// <summary>The table of this name, or null.</summary>
    public byte? FindTable(string name)
    {
        foreach (var (table, known) in _tables)
        {
            if (known == name)
            {
                return table;
            }
        }

        return null;
    }

    /// <summary>The port of this name, or null.</summary>
    public uint? FindPort(string name)
    {
        foreach (var (port, known) in _ports)
        {
            if (known == name)
            {
                return port;
            }
        }

        return null;
    }
}
