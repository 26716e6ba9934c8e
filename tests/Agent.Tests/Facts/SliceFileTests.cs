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
    public void A_missing_file_is_an_empty_slice() => Assert.That(File("none").Read().IsKnown, Is.False);

    private SliceFile File(string name) => new(Path.Combine(_dir, name), NullLogger<SliceFile>.Instance);
}
