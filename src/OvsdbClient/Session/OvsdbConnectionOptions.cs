namespace Weft.Ovsdb;

/// <summary>Settings of one connection.</summary>
public sealed record OvsdbConnectionOptions
{
    /// <summary>After this long without a byte from the server it is asked with <c>echo</c>; after as long again the connection ends.
    /// 5 s; <see cref="Timeout.InfiniteTimeSpan"/> never asks.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long making a connection may take, with TLS. 10 s. A passive endpoint waits without limit for its peer.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest message that is accepted. 1 GiB; the first snapshot of a database is one message.</summary>
    public long MaxMessageBytes { get; init; } = 1L << 30;

    /// <summary>How many bytes may wait to be sent before senders wait too. 4 MiB.</summary>
    public long MaxPendingBytes { get; init; } = 4L << 20;

    /// <summary>Keys and certificates for <c>ssl:</c> endpoints.</summary>
    public TlsSettings? Tls { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
