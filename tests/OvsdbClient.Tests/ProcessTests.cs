using Weft.TestSupport;

namespace Weft.Ovsdb.Tests;

/// <summary>The processes that all other tests stand on.</summary>
public sealed class ProcessTests
{
    [Test]
    public async Task A_switch_with_a_bridge_of_its_own_starts_and_ends()
    {
        int server, vswitchd;
        await using (var database = await OvsdbServerProcess.StartAsync())
        await using (var ovs = await VSwitchdProcess.StartAsync(database))
        {
            await database.VsctlAsync(wait: true, "add-br", "br0");
            Assert.That(await ovs.OfctlAsync("-O", "OpenFlow13", "show", "br0"), Does.Contain("LOCAL(br0)"));
            Assert.That(File.Exists(ovs.ManagementSocket("br0")));
            (server, vswitchd) = (database.Process.Id, ovs.Process.Id);
        }

        Assert.That(Directory.Exists($"/proc/{server}"), Is.False);
        Assert.That(Directory.Exists($"/proc/{vswitchd}"), Is.False);
    }
}
