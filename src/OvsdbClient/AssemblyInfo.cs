using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("OvsdbClient.Tests")]
