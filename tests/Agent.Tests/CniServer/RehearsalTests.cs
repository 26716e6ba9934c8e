using Weft.Agent.CniServer;
using Weft.TestSupport;

namespace Weft.Agent.Tests.CniServer;

public sealed class RehearsalTests
{
    [Test]
    public async Task A_rehearsal_attaches_a_pod_that_nobody_sees_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        var reply = await Rehearsal.RunAsync(folder.File("rehearsal"), TimeProvider.System);
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(reply.Output, Does.Contain("192.0.2.2/24").And.Contain("2001:db8::2/64"));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }
}
