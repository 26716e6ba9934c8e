using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Switch;

/// <summary>A real ovs-vswitchd tells one controller of the groups and meters that another one changes.</summary>
public sealed class RequestForwardTests
{
    private readonly List<OpenFlowMessage> _told = [];
    private RealSwitch _real = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _real = await RealSwitch.StartAsync(new OpenFlowOptions { ForwardRequests = true });
        _real.Connection.RequestForwarded += Collect;
    }

    [OneTimeTearDown]
    public async Task Stop() => await _real.DisposeAsync();

    [SetUp]
    public async Task Forget()
    {
        await _real.OfctlAsync("del-groups", "br0");
        await _real.OfctlAsync("del-meters", "br0");
        await _real.Connection.BarrierAsync();
        lock (_told)
        {
            _told.Clear();
        }
    }

    [Test]
    public async Task Groups_that_another_controller_adds_changes_and_deletes_are_told()
    {
        await _real.OfctlAsync("add-group", "br0", "group_id=1,type=select,bucket=weight:10,actions=output:1");
        await _real.OfctlAsync("mod-group", "br0", "group_id=1,type=select,bucket=weight:20,actions=output:2");
        await _real.Process.OfctlAsync("-O", "OpenFlow15", "insert-buckets", "br0", "group_id=1,command_bucket_id=last,bucket=bucket_id:7,weight:5,actions=output:1");
        await _real.OfctlAsync("--may-create", "mod-group", "br0", "group_id=2,type=all,bucket=actions=output:1");
        await _real.OfctlAsync("del-groups", "br0", "group_id=1");
        await _real.OfctlAsync("del-groups", "br0");
        Assert.That(await ToldAsync(6), Is.EqualTo(new[]
        {
            "Add group_id=1,type=select,bucket=weight:10,actions=output:1",
            "Modify group_id=1,type=select,bucket=weight:20,actions=output:2",

            // Buckets that come and go are told as what the group then is, and an ADD_OR_MOD as what it was.
            "Modify group_id=1,type=select,bucket=weight:20,actions=output:2,bucket=weight:5,actions=output:1",
            "Add group_id=2,type=all,bucket=actions=output:1",
            "Delete group_id=1,type=all",
            $"Delete group_id={GroupMod.AllGroups},type=all",
        }));
    }

    [Test]
    public async Task Meters_that_another_controller_adds_changes_and_deletes_are_told()
    {
        await _real.OfctlAsync("add-meter", "br0", "meter=3,kbps,bands=type=drop,rate=100");
        await _real.OfctlAsync("mod-meter", "br0", "meter=3,kbps,bands=type=drop,rate=200");
        await _real.OfctlAsync("del-meter", "br0", "meter=3");
        Assert.That(await ToldAsync(3), Is.EqualTo(new[] { "Add meter=3 kbps bands= type=drop rate=100", "Modify meter=3 kbps bands= type=drop rate=200", "Delete meter=3 bands=" }));
    }

    [Test]
    public async Task Own_requests_are_not_told_and_those_of_a_bundle_are()
    {
        var group = new Group(9, GroupType.All, []);
        (await _real.Connection.ApplyAsync([new GroupMod(GroupCommand.Add, group)])).ThrowIfFailed();
        await _real.OfctlAsync("--bundle", "add-group", "br0", "group_id=8,type=all");
        Assert.That(await ToldAsync(1), Is.EqualTo(new[] { "Add group_id=8,type=all" }));
    }

    /// <summary>What was told, when it is so many and the switch has answered once more.</summary>
    private async Task<List<string>> ToldAsync(int count)
    {
        await Eventually.True($"{count} forwarded requests", () =>
        {
            lock (_told)
            {
                return _told.Count >= count;
            }
        });
        await _real.Connection.BarrierAsync();
        lock (_told)
        {
            return [.. _told.Select(m => m is GroupMod group ? $"{group.Command} {group.Group}" : m is MeterMod meter ? $"{meter.Command} {meter.Meter}" : $"{m}")];
        }
    }

    private void Collect(RequestForward forward)
    {
        lock (_told)
        {
            _told.Add(forward.Request);
        }
    }
}
