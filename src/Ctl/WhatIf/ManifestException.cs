namespace Weft.Ctl.WhatIf;

/// <summary>A manifest cannot be used. The message names the file, the document's line and the field, and says what would do.</summary>
public sealed class ManifestException(string message) : Exception(message);
