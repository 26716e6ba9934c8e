namespace Weft.Agent.Host.Netlink;

/// <summary>The errno values that decide something here (asm-generic/errno-base.h, errno.h), and their names for messages.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int NoSuchDeviceOrAddress = 6;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int Busy = 16;
    public const int Exists = 17;
    public const int NoDevice = 19;
    public const int Invalid = 22;
    public const int NotSupported = 95;
    public const int AddressNotAvailable = 99;
    public const int NetworkDown = 100;
    public const int NetworkUnreachable = 101;
    public const int NoBuffers = 105;
    public const int HostUnreachable = 113;
    public const int NoProcess = 3;

    /// <summary>The symbolic name, for example <c>EEXIST</c>.</summary>
    public static string Name(int errno) => errno switch
    {
        NotPermitted => "EPERM",
        NotFound => "ENOENT",
        NoProcess => "ESRCH",
        Interrupted => "EINTR",
        5 => "EIO",
        NoSuchDeviceOrAddress => "ENXIO",
        9 => "EBADF",
        TryAgain => "EAGAIN",
        12 => "ENOMEM",
        AccessDenied => "EACCES",
        Busy => "EBUSY",
        Exists => "EEXIST",
        NoDevice => "ENODEV",
        20 => "ENOTDIR",
        21 => "EISDIR",
        Invalid => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        28 => "ENOSPC",
        30 => "EROFS",
        34 => "ERANGE",
        NotSupported => "EOPNOTSUPP",
        AddressNotAvailable => "EADDRNOTAVAIL",
        NetworkDown => "ENETDOWN",
        NetworkUnreachable => "ENETUNREACH",
        NoBuffers => "ENOBUFS",
        110 => "ETIMEDOUT",
        HostUnreachable => "EHOSTUNREACH",
        _ => $"errno {errno}",
    };

    /// <summary>What the operator can do about it.</summary>
    public static string Remedy(int errno) => errno switch
    {
        NotPermitted or AccessDenied => "run the agent with CAP_NET_ADMIN and CAP_SYS_ADMIN",
        NotFound or NoDevice or NoSuchDeviceOrAddress => "it does not exist (any more); create it again or remove what refers to it",
        Exists => "it exists already; remove it or choose another name",
        NetworkUnreachable or HostUnreachable => "the gateway is not reachable from this interface: give the interface its address first and set it up",
        NetworkDown => "the interface is down: set it up first",
        NotSupported => "the kernel lacks this feature: load its module or use a newer kernel",
        23 or 24 => "too many open files: raise the limit (LimitNOFILE)",
        12 or NoBuffers => "the kernel is short of memory: free some and try again",
        28 => "the disk is full: free some space",
        30 => "the file system is read-only: mount /proc/sys writable (privileged container)",
        Invalid => "the kernel finds the request invalid: check addresses, prefix lengths, names and MTU",
        _ => "see dmesg for the kernel's reason and try again",
    };
}
