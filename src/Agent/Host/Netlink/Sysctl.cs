using System.Text;

namespace Weft.Agent.Host.Netlink;

/// <summary>Reads and writes <c>/proc/sys/net</c>, or the same below the folder that <c>WEFT_PROC_SYS</c> names. The kernel shows the calling thread's network namespace there.</summary>
public static class Sysctl
{
    // A container that is not privileged cannot write its own /proc/sys; it may be given the host's at another place.
    private static readonly string Root = (Environment.GetEnvironmentVariable("WEFT_PROC_SYS") is { Length: > 0 } given ? given.TrimEnd('/') : "/proc/sys") + "/";

    /// <summary>The value without its line end, or null when this kernel has no such key.</summary>
    /// <param name="key">For example <c>net/ipv4/ip_forward</c>: with slashes, since interface names may have dots.</param>
    public static string? Read(string key) => File.Exists(Root + key) ? File.ReadAllText(Root + key).Trim() : null;

    /// <summary>Writes a value without looking first: for an interface that was just made.</summary>
    /// <returns>False when this kernel has no such key.</returns>
    /// <exception cref="SysctlException">The kernel refused, and the value is another; the message has key, value and remedy.</exception>
    public static unsafe bool Set(string key, string value)
    {
        using var file = LinuxNative.OpenForWriting(Root + key);
        if (!file.IsInvalid)
        {
            var bytes = stackalloc byte[value.Length];
            Encoding.ASCII.GetBytes(value, new Span<byte>(bytes, value.Length));
            if (LinuxNative.Write(file, bytes, value.Length) == value.Length)
            {
                return true;
            }
        }

        // A read-only /proc/sys may have it right already; else this says what is wrong.
        return Write(key, value) || Read(key) is not null;
    }

    /// <summary>Writes a value where it differs.</summary>
    /// <returns>True when it was written; false when it was right already or this kernel has no such key.</returns>
    /// <exception cref="SysctlException">The kernel refused; the message has key, value and remedy.</exception>
    public static bool Write(string key, string value)
    {
        try
        {
            if (Read(key) is not { } now || now == value)
            {
                return false;
            }

            // One write without buffering: sysctl files take a value only whole.
            using var file = File.OpenHandle(Root + key, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes(value), 0);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SysctlException($"cannot set {key} to {value}: {e.Message}; mount /proc/sys writable (privileged container) or set it on the node", e);
        }
    }
}

/// <summary>A kernel parameter could not be set.</summary>
public sealed class SysctlException(string message, Exception inner) : Exception(message, inner);
