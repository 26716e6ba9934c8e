using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

/// <summary>The few system calls that .NET has no API for. Each returns -1 on failure and sets errno.</summary>
internal static unsafe partial class LinuxNative
{
    public const int AfUnspec = 0;
    public const int AfInet = 2;
    public const int AfInet6 = 10;
    public const int AfNetlink = 16;
    public const int SockRaw = 3;
    public const int SockDgram = 2;
    public const int SockCloexec = 0x80000;
    public const int SolSocket = 1;
    public const int SoReceiveBuffer = 8;
    public const int SoReceiveTimeout = 20;
    public const int SolNetlink = 270;
    public const int NetlinkAddMembership = 1;
    public const int NetlinkExtAck = 11;
    public const int NetlinkStrictCheck = 12;
    public const int MsgPeek = 2;
    public const int MsgTruncate = 0x20;
    public const int CloneNewNet = 0x40000000;
    public const int CloneNewCgroup = 0x02000000;
    public const int OpenReadOnlyCloexec = 0x80000;
    public const int OpenWriteOnlyCloexec = 0x80001;
    public const short PollIn = 1;
    public const ulong SiocEthtool = 0x8946;

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int SocketRaw(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenRaw(string path, int flags);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventDescriptorRaw(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    public static partial int Bind(SafeFileHandle socket, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(SafeFileHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(SafeFileHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    public static partial int SetSocketOption(SafeFileHandle socket, int level, int name, void* value, int length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, void* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fstatfs", SetLastError = true)]
    public static partial int FileSystemStatus(SafeFileHandle file, void* status);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatusOf(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    public static partial int SetNamespace(SafeFileHandle descriptor, int type);

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    public static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int IoControl(SafeFileHandle descriptor, ulong request, void* argument);

    /// <summary>Opens a socket that is closed on exec.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static SafeFileHandle OpenSocket(int domain, int type, int protocol, string what)
    {
        var descriptor = SocketRaw(domain, type | SockCloexec, protocol);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw NetlinkException.FromLastError(what);
    }

    /// <summary>The inode of a file or folder; null when errno says why not.</summary>
    public static ulong? Inode(string path)
    {
        // struct statx: stx_ino is the 64-bit word at byte 32.
        const int atCurrentFolder = -100;
        const uint wantInode = 0x100;
        var status = stackalloc byte[256];
        return StatusOf(atCurrentFolder, path, 0, wantInode, status) == 0 ? *(ulong*)(status + 32) : null;
    }

    /// <summary>Opens a file for reading, closed on exec.</summary>
    /// <returns>An invalid handle when errno says why not.</returns>
    public static SafeFileHandle OpenForReading(string path) => new(OpenRaw(path, OpenReadOnlyCloexec), ownsHandle: true);

    /// <summary>Opens an existing file for writing, closed on exec.</summary>
    /// <returns>An invalid handle when errno says why not.</returns>
    public static SafeFileHandle OpenForWriting(string path) => new(OpenRaw(path, OpenWriteOnlyCloexec), ownsHandle: true);

    /// <summary>Opens an eventfd, closed on exec.</summary>
    public static SafeFileHandle OpenEventDescriptor()
    {
        var descriptor = EventDescriptorRaw(0, OpenReadOnlyCloexec);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw NetlinkException.FromLastError("open an eventfd");
    }

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
