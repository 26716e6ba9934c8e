using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>A table as the server describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">Its columns by name, without <c>_uuid</c> and <c>_version</c>.</param>
/// <param name="IsRoot">False when a row disappears with the last strong reference to it (RFC 7047 section 3.2).</param>
/// <param name="MaxRows">The greatest number of rows; <see cref="long.MaxValue"/> without limit.</param>
/// <param name="Indexes">The sets of columns whose values are unique.</param>
public sealed record TableSchema(
    string Name, FrozenDictionary<string, ColumnSchema> Columns, bool IsRoot, long MaxRows, ImmutableArray<ImmutableArray<string>> Indexes);
