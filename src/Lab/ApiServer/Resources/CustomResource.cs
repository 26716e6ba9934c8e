using System.Collections.Immutable;

namespace Weft.Lab.ApiServer;

/// <summary>What a CustomResourceDefinition adds to a <see cref="ResourceType"/>.</summary>
public sealed record CustomResource(
    string DefinitionName,
    ImmutableArray<PrinterColumn> Columns,
    ScalePaths? Scale);

/// <summary>One of <c>additionalPrinterColumns</c>.</summary>
/// <param name="Priority">0 is always shown, more only with <c>-o wide</c>.</param>
public sealed record PrinterColumn(string Name, string Type, string Format, string Description, int Priority, string JsonPath);

/// <summary>Where a custom resource keeps what the scale subresource shows.</summary>
public sealed record ScalePaths(string Spec, string Status, string? Selector);
