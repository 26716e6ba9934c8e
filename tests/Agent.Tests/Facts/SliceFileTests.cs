using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent.Tests.Facts;

public sealed class SliceFileTests
{
    private string _dir = "";

    [SetUp]
    public void MakeFolder() => _dir = Directory.CreateTempSubdirectory("weft-slice-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_dir, recursive: true);

    [Test]
    public void What_was_written_is_read_back()
    {
        var slice = SliceBuilderTests.With(new Network { Id = "default", Key = 1 }, new AddressSet { Id = "s", Addresses = ["fd00::1"] }).Current;
        var file = File("slice.json");
        file.Write(slice);
        var read = file.Read();
        Assert.That(read.Items, Is.EquivalentTo(slice.Items));
        Assert.That((read.Epoch, read.Revision), Is.EqualTo((slice.Epoch, slice.Revision)));
    }

    [Test]
    public void A_file_cut_at_any_byte_is_either_whole_or_not_used()
    {
        var slice = SliceBuilderTests.With(new Network { Id = "default", Key = 1 }).Current;
        var path = Path.Combine(_dir, "slice.json");
        File("slice.json").Write(slice);
        var bytes = System.IO.File.ReadAllBytes(path);
        for (var length = 0; length < bytes.Length - 1; length++)
        {
            System.IO.File.WriteAllBytes(path, bytes[..length]);
            Assert.That(File("slice.json").Read().IsKnown, Is.False, $"cut at {length} of {bytes.Length}");
        }
    }

    [Test]
    public void Changes_are_appended_and_read_back_and_many_of_them_begin_the_file_anew()
    {
        var builder = SliceBuilderTests.With(new Network { Id = "default", Key = 1 }, new AddressSet { Id = "gone" });
        var file = File("slice.json");
        var path = Path.Combine(_dir, "slice.json");
        var shrunk = 0;
        for (var (i, length) = (1, 0L); i <= 1000; i++)
        {
            file.Save(builder.Current);
            var now = new FileInfo(path).Length;
            shrunk += now < length ? 1 : 0;
            length = now;
            Assert.That(length, Is.LessThan(100_000));
            builder.Take(new Delta(builder.Current.Revision + 1)
            {
                Upserts = [new AddressSet { Id = $"s{i % 7}", Addresses = [.. Enumerable.Range(0, i % 50).Select(a => $"10.0.{i % 250}.{a}")] }],
                Deletes = [new ItemRef(ItemKind.AddressSet, i == 1 ? "gone" : $"s{i % 5}")],
            });
            if (i % 50 == 1)
            {
                file.Save(builder.Current);
                Assert.That(File("slice.json").Read().Items, Is.EquivalentTo(builder.Current.Items));
            }
        }

        Assert.That(shrunk, Is.GreaterThan(0));
    }

    [Test]
    public void A_line_of_megabytes_is_appended_and_read_back()
    {
        var builder = SliceBuilderTests.With(new Network { Id = "default", Key = 1 });
        var file = File("slice.json");
        file.Save(builder.Current);
        var longName = new string('n', 20_000);
        builder.Take(new Delta(builder.Current.Revision + 1)
        {
            Upserts = [.. Enumerable.Range(0, 20_000).Select(i => new AddressSet { Id = i == 7 ? longName : $"s{i}", Addresses = [$"10.{i / 65536}.{i / 256 % 256}.{i % 256}"] })],
        });

        file.Save(builder.Current);

        Assert.That(System.IO.File.ReadLines(Path.Combine(_dir, "slice.json")).Max(l => l.Length), Is.GreaterThan(1_000_000));
        var read = File("slice.json").Read().Items;
        Assert.That(builder.Current.Items.Where(i => !i.Value.Equals(read.GetValueOrDefault(i.Key))), Is.Empty);
        Assert.That(read, Has.Count.EqualTo(builder.Current.Items.Count));
    }

    [Test]
    public void A_change_cut_at_any_byte_leaves_the_state_before_it()
    {
        var builder = SliceBuilderTests.With(new Network { Id = "default", Key = 1 });
        var file = File("slice.json");
        var path = Path.Combine(_dir, "slice.json");
        file.Save(builder.Current);
        var before = builder.Current;
        var snapshot = new FileInfo(path).Length;
        builder.Take(new Delta(before.Revision + 1) { Upserts = [new AddressSet { Id = "s", Addresses = ["10.0.0.1"] }] });
        file.Save(builder.Current);
        var bytes = System.IO.File.ReadAllBytes(path);
        for (var length = (int)snapshot; length < bytes.Length - 1; length++)
        {
            System.IO.File.WriteAllBytes(path, bytes[..length]);
            Assert.That(File("slice.json").Read().Items, Is.EquivalentTo(before.Items), $"cut at {length} of {bytes.Length}");
        }
    }

    [Test]
    public void A_damaged_line_among_others_makes_the_file_unusable()
    {
        var builder = SliceBuilderTests.With(new Network { Id = "default", Key = 1 });
        var file = File("slice.json");
        file.Save(builder.Current);
        var path = Path.Combine(_dir, "slice.json");
        System.IO.File.AppendAllText(path, "{\"type\n");
        builder.Take(new Delta(builder.Current.Revision + 1) { Upserts = [new AddressSet { Id = "s" }] });
        file.Save(builder.Current);
        Assert.That(File("slice.json").Read().IsKnown, Is.False);
    }

    [Test]
    public void Every_step_is_on_disk_when_it_is_taken_and_an_agent_that_starts_again_goes_on_from_there()
    {
        var builder = SliceBuilderTests.With(new Network { Id = "default", Key = 1 }, new AddressSet { Id = "s", Addresses = ["10.0.0.1"] });
        var file = File("slice.json");
        file.Save(builder.Current);
        for (var i = 2; i < 200; i++)
        {
            var frame = i % 50 == 0 ? (Frame)new Resumed($"e{i}", i) : new Delta(i) { Patches = [new SetPatch { Kind = ItemKind.AddressSet, Id = "s", Add = [$"10.0.0.{i}"] }] };
            file.Take(builder.Take(frame)!);
            if (i % 30 == 0)
            {
                file.Settle();
                file = File("slice.json");
            }

            var read = i % 7 == 0 || i % 30 == 0 ? file.Read() : File("slice.json").Read();
            Assert.That(read.Items, Is.EquivalentTo(builder.Current.Items));
            Assert.That((read.Epoch, read.Revision), Is.EqualTo((builder.Current.Epoch, builder.Current.Revision)));
        }
    }

    [Test]
    public void Steps_that_the_disk_does_not_take_leave_no_older_state_and_are_written_when_it_does()
    {
        var builder = SliceBuilderTests.With(new Network { Id = "default", Key = 1 });
        var file = File("sub/slice.json");
        file.Save(builder.Current);
        var folder = Path.Combine(_dir, "sub");
        Directory.Move(folder, folder + "-away");
        System.IO.File.WriteAllText(folder, "no folder any more");
        file.Take(builder.Take(new Delta(5) { Upserts = [new AddressSet { Id = "s" }] })!);
        Assert.That(file.Problem, Does.Contain("cannot be saved"));
        System.IO.File.Delete(folder);
        file.Settle();
        Assert.That(file.Problem, Is.Null);
        Assert.That(File("sub/slice.json").Read().Items, Is.EquivalentTo(builder.Current.Items));
    }

    [Test]
    public void A_missing_file_is_an_empty_slice() => Assert.That(File("none").Read().IsKnown, Is.False);

    private SliceFile File(string name) => new(Path.Combine(_dir, name), NullLogger<SliceFile>.Instance);
}
