using Weft.Agent.Facts;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Facts;

public sealed class SliceBuilderTests
{
    private static readonly AddressSet Set = new() { Id = "s", Addresses = ["10.0.0.1"] };
    private static readonly Network Default = new() { Id = "default", Key = 1 };

    [Test]
    public void A_snapshot_takes_effect_only_when_it_is_whole()
    {
        var builder = new SliceBuilder(Slice.Empty);
        Assert.That(builder.Take(new SnapshotBegin("e", 3)), Is.Null);
        Assert.That(builder.Take(new SnapshotItem(Set)), Is.Null);
        Assert.That(builder.Current.IsKnown, Is.False);
        var change = builder.Take(new SnapshotEnd("e", 3))!;
        Assert.That(change.Slice.Revision, Is.EqualTo(3));
        Assert.That(change.Changed, Is.EquivalentTo(new[] { ItemRef.Of(Set) }));
    }

    [Test]
    public void A_snapshot_deletes_what_it_does_not_name_and_reports_only_differences()
    {
        var builder = With(Set, Default);
        builder.Take(new SnapshotBegin("f", 1));
        builder.Take(new SnapshotItem(Default));
        var change = builder.Take(new SnapshotEnd("f", 1))!;
        Assert.That(change.Changed, Is.EquivalentTo(new[] { ItemRef.Of(Set) }));
        Assert.That(change.Slice.Items, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_resumption_adopts_the_new_epoch_and_keeps_everything()
    {
        var builder = With(Set, Default);
        var change = builder.Take(new Resumed("g", 9))!;
        Assert.That((change.Slice.Epoch, change.Slice.Revision), Is.EqualTo(("g", 9L)));
        Assert.That(change.Changed, Is.Empty);
        Assert.That(change.Slice.Items, Has.Count.EqualTo(2));
        Assert.That(() => new SliceBuilder(Slice.Empty).Take(new Resumed("g", 9)), Throws.InstanceOf<StreamProtocolException>());
    }

    [Test]
    public void An_abandoned_snapshot_changes_nothing()
    {
        var builder = With(Set);
        builder.Take(new SnapshotBegin("f", 1));
        builder.Abandon();
        builder.Take(new Delta(4) { Upserts = [Default] });
        Assert.That(builder.Current.Items.Keys, Is.EquivalentTo(new[] { ItemRef.Of(Set), ItemRef.Of(Default) }));
    }

    [Test]
    public void A_patch_changes_members_and_repeats_harmlessly()
    {
        var builder = With(Set);
        var patch = new SetPatch { Kind = ItemKind.AddressSet, Id = "s", Add = ["10.0.0.2"], Remove = ["10.0.0.1"] };
        builder.Take(new Delta(4) { Patches = [patch] });
        Assert.That(builder.Current.Find<AddressSet>(ItemKind.AddressSet, "s")!.Addresses, Is.EquivalentTo(new[] { "10.0.0.2" }));
        Assert.That(builder.Take(new Delta(5) { Patches = [patch] })!.Changed, Is.Empty);
    }

    [Test]
    public void An_endpoint_with_the_same_address_and_port_is_replaced()
    {
        var builder = With(new EndpointSet { Id = "e", Endpoints = [new Endpoint { Address = "10.0.0.1", Port = 80 }] });
        builder.Take(new Delta(2) { Patches = [new SetPatch { Kind = ItemKind.EndpointSet, Id = "e", AddEndpoints = [new Endpoint { Address = "10.0.0.1", Port = 80, Ready = false }] }] });
        var endpoints = builder.Current.Find<EndpointSet>(ItemKind.EndpointSet, "e")!.Endpoints;
        Assert.That(endpoints, Has.Count.EqualTo(1));
        Assert.That(endpoints[0].Ready, Is.False);
    }

    [Test]
    public void Frames_that_cannot_follow_are_refused()
    {
        Assert.That(() => new SliceBuilder(Slice.Empty).Take(new Delta(1)), Throws.TypeOf<StreamProtocolException>());
        Assert.That(() => new SliceBuilder(Slice.Empty).Take(new SnapshotItem(Set)), Throws.TypeOf<StreamProtocolException>());
        Assert.That(() => new SliceBuilder(Slice.Empty).Take(new SnapshotEnd("e", 1)), Throws.TypeOf<StreamProtocolException>());
        var begun = new SliceBuilder(Slice.Empty);
        begun.Take(new SnapshotBegin("e", 1));
        Assert.That(() => begun.Take(new Delta(2)), Throws.TypeOf<StreamProtocolException>());
    }

    internal static SliceBuilder With(params TopologyItem[] items)
    {
        var builder = new SliceBuilder(Slice.Empty);
        builder.Take(new SnapshotBegin("e", 1));
        foreach (var item in items)
        {
            builder.Take(new SnapshotItem(item));
        }

        builder.Take(new SnapshotEnd("e", 1));
        return builder;
    }
}
