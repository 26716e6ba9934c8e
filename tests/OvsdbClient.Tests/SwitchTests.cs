using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests;

/// <summary>The library with the real switch behind the database.</summary>
public sealed class SwitchTests
{
    [Test]
    public async Task A_bridge_gets_its_datapath_id_and_ports_get_numbers_when_the_commit_is_applied()
    {
        await using var database = await OvsdbServerProcess.StartAsync();
        await using var ovs = await VSwitchdProcess.StartAsync(database);
        await using var client = await ConnectAsync(database);

        var transaction = new Transaction();
        var bridge = transaction.AddBridge("br0");
        bridge.Set(Bridge.FailMode, "secure");
        var applied = await client.CommitAndApplyAsync(transaction, Limit());

        var row = applied.Snapshot.Row<Bridge>(applied.Outcome.UuidOf(bridge))!.Value;
        Assert.That(row.Get(Bridge.DatapathId), Has.Length.EqualTo(16));
        var port = applied.Snapshot.Resolve<Port>(row.Get(Bridge.Ports)).Single();
        var local = applied.Snapshot.Resolve<Interface>(port.Get(Port.Interfaces)).Single();
        Assert.That(local.Get(Interface.OfPort), Is.EqualTo(65534));
        Assert.That(applied.InterfaceErrors, Is.Empty);
        Assert.That(await database.VsctlAsync(true, "get", "bridge", "br0", "datapath_id"), Does.Contain(row.Get(Bridge.DatapathId)!));
    }

    [Test]
    public async Task An_interface_that_cannot_be_set_up_is_named_with_the_switchs_reason()
    {
        await using var database = await OvsdbServerProcess.StartAsync();
        await using var ovs = await VSwitchdProcess.StartAsync(database);
        await using var client = await ConnectAsync(database);
        var transaction = new Transaction();
        var bad = transaction.Insert<Interface>().Set(Interface.Name, "bad0").Set(Interface.Type, "nosuch");
        var port = transaction.Insert<Port>().Set(Port.Name, "bad0").Set(Port.Interfaces, [bad.Uuid]);
        transaction.AddBridge("br0");
        await client.CommitAndApplyAsync(transaction.WithPort("br0", port), Limit());

        var snapshot = await client.Replica.WaitForAsync(
            s => s.Rows<Interface>().Any(i => i.Get(Interface.Name) == "bad0" && i.Get(Interface.Error) is not null), Limit());

        var row = snapshot.Rows<Interface>().Single(i => i.Get(Interface.Name) == "bad0");
        Assert.That(row.Get(Interface.Error), Is.Not.Empty);
        Assert.That(row.Get(Interface.OfPort), Is.EqualTo(-1));
    }

    [Test]
    public async Task Without_a_running_switch_the_wait_ends_by_cancellation_and_the_commit_stays()
    {
        await using var database = await OvsdbServerProcess.StartAsync();
        await database.VsctlAsync(false, "init");
        await using var client = await ConnectAsync(database);
        var transaction = new Transaction();
        transaction.AddBridge("br0");
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        Assert.That(async () => await client.CommitAndApplyAsync(transaction, soon.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(client.Replica.Current!.Rows<Bridge>().Single().Get(Bridge.Name), Is.EqualTo("br0"));
    }
}
