using System.Runtime.InteropServices;

namespace Weft.Cni;

/// <summary>An open file descriptor, 0 or 1 for example, read and written without buffers.</summary>
internal sealed unsafe class DescriptorStream(int descriptor) : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The system says why.</exception>
    public override int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint read;
            do
            {
                read = Libc.Read(descriptor, start, (nuint)buffer.Length);
            }
            while (read < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted);

            return read >= 0 ? (int)read : throw new IOException(Libc.LastError);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">The system says why.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            fixed (byte* start = buffer)
            {
                var written = Libc.Write(descriptor, start, (nuint)buffer.Length);
                if (written < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted)
                {
                    throw new IOException(Libc.LastError);
                }

                buffer = buffer[(int)Math.Max(written, 0)..];
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
