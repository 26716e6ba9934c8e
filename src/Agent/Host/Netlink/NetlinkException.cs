using System.Runtime.InteropServices;

namespace Weft.Agent.Host.Netlink;

/// <summary>The kernel refused an operation. The message has the operation with its object, the error's name and a remedy.</summary>
public sealed class NetlinkException : Exception
{
    internal NetlinkException(string operation, int errno, string kernelMessage = "")
        : base(Describe(operation, errno, kernelMessage))
    {
        Operation = operation;
        ErrorNumber = errno;
    }

    /// <summary>What was tried, for example <c>create veth w0123456789</c>.</summary>
    public string Operation { get; }

    /// <summary>errno.</summary>
    public int ErrorNumber { get; }

    internal static NetlinkException FromLastError(string operation) => new(operation, Marshal.GetLastPInvokeError());

    private static string Describe(string operation, int errno, string kernelMessage)
    {
        var kernel = kernelMessage.Length == 0 ? "" : $", kernel says '{kernelMessage}'";
        return $"cannot {operation}: {Errno.Name(errno)}{kernel}; {Errno.Remedy(errno)}";
    }
}
