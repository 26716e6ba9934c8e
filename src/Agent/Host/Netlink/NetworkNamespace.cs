using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

/// <summary>Enters network namespaces. Threads of their own do it, and return afterwards or end, so no other work ever runs in the wrong namespace.</summary>
/// <remarks>Work that runs inside must not be asynchronous: a thread that it makes the thread pool start would stay in the namespace for ever.</remarks>
public static class NetworkNamespace
{
    private static readonly KeptThreads Visitors = new("netns", kept: 4);

    // The process's own, whichever thread asks first.
    private static readonly SafeFileHandle Home = LinuxNative.OpenForReading("/proc/self/ns/net");

    /// <summary>Opens a namespace by its path, for example <c>/var/run/netns/NAME</c> or <c>/proc/PID/ns/net</c>.</summary>
    /// <exception cref="NetlinkException">There is no file (errno says why), or it is something else.</exception>
    public static SafeFileHandle Open(string path)
    {
        var handle = LinuxNative.OpenForReading(path);
        var error = handle.IsInvalid ? Marshal.GetLastPInvokeError() : Errno.Invalid;
        if (!handle.IsInvalid && IsNetworkNamespace(handle))
        {
            return handle;
        }

        handle.Dispose();
        throw new NetlinkException(error == Errno.Invalid ? $"use {path} as a network namespace, which it is not" : $"open network namespace {path}", error);
    }

    private static unsafe bool IsNetworkNamespace(SafeFileHandle handle)
    {
        // struct statfs begins with f_type; it has 120 bytes on 64-bit Linux.
        const long namespaceFileSystem = 0x6e736673;
        long* status = stackalloc long[32];
        return LinuxNative.FileSystemStatus(handle, status) == 0 && status[0] == namespaceFileSystem;
    }

    /// <summary>Runs <paramref name="work"/> inside the namespace at <paramref name="path"/> and waits for it; null: in the process's own, on this thread.</summary>
    /// <exception cref="NetlinkException">The namespace cannot be entered. Exceptions of the work come out as they are.</exception>
    public static T Run<T>(string? path, Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (path is null)
        {
            return work();
        }

        using var handle = Open(path);
        return Run(handle, path, work);
    }

    /// <inheritdoc cref="Run{T}(string?, Func{T})"/>
    public static T Run<T>(SafeFileHandle handle, string path, Func<T> work) => Visitors.RunAsync(() =>
    {
        if (LinuxNative.SetNamespace(handle, LinuxNative.CloneNewNet) != 0)
        {
            throw NetlinkException.FromLastError($"enter network namespace {path}");
        }

        // Work that throws leaves the thread where it is, and ends it.
        var result = work();
        return (result, LinuxNative.SetNamespace(Home, LinuxNative.CloneNewNet) == 0);
    }).GetAwaiter().GetResult();

    /// <summary>Makes a new, empty namespace. It ends with the handle.</summary>
    public static SafeFileHandle New() => Visitors.RunAsync(() => LinuxNative.Unshare(LinuxNative.CloneNewNet) == 0
        ? (Open("/proc/thread-self/ns/net"), Keep: false)
        : throw NetlinkException.FromLastError("create a network namespace")).GetAwaiter().GetResult();

    /// <summary>A path to a namespace that has no name, good while the handle is open.</summary>
    public static string PathOf(SafeFileHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{handle.DangerousGetHandle()}");
    }
}
