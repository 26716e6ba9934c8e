using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>Only one at a time starts or ends a lab of one name.</summary>
internal static class LabLock
{
    /// <summary>Holds the lock until disposed; the kernel releases it when the process ends, however it ends.</summary>
    /// <exception cref="LabException">Another process holds it.</exception>
    public static IDisposable Take(LabLayout layout)
    {
        Directory.CreateDirectory(LabLayout.Root);
        try
        {
            return new FileStream(layout.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new LabException($"another process starts or ends the lab '{layout.Name}' at this moment: wait for it", e);
        }
    }
}
