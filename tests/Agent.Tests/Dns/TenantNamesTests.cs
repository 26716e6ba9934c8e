using System.Collections.Immutable;
using System.Net;
using Weft.Agent.Dns;
using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent.Tests.Dns;

/// <summary>Names of a tenant's network, and the messages that carry them.</summary>
public sealed class TenantNamesTests
{
    private static readonly NodeFacts Facts = new()
    {
        NodeName = "n1",
        Slice = new Slice
        {
            Epoch = "e",
            Items = new TopologyItem[]
            {
                new DnsName { Id = "red/web", NetworkKey = 16, Addresses = ["10.96.0.7", "fd00:96::7"] },
                new DnsName { Id = "red/db", NetworkKey = 16, Addresses = ["10.0.0.5", "10.0.0.6"], Hosts = [new("db-0", ["10.0.0.5"]), new("db-1", ["10.0.0.6"])] },
                new LogicalPort { Id = "red/db-0", Uid = "u", Node = "n1", Switch = "subnet/red", NetworkKey = 16, Addresses = ["10.0.0.5", "fd00:a::5"] },
                new DnsName { Id = "blue/db", NetworkKey = 17, Addresses = ["10.0.0.5"] },
            }.ToImmutableDictionary(ItemRef.Of),
        },
    };

    [TestCase("web.red.svc.cluster.local", "10.96.0.7,fd00:96::7")]
    [TestCase("db.red.svc.cluster.local", "10.0.0.5,10.0.0.6")]
    [TestCase("db-1.db.red.svc.cluster.local", "10.0.0.6")]
    [TestCase("10-0-0-5.red.pod.cluster.local", "10.0.0.5")]
    [TestCase("fd00-a--5.red.pod.cluster.local", "fd00:a::5")]
    [TestCase("db-0.red.pod.cluster.local", "10.0.0.5,fd00:a::5")]
    [TestCase("nobody.red.svc.cluster.local", "")]
    [TestCase("10-0-0-9.red.pod.cluster.local", "")]
    public void A_name_of_the_network_is_answered_with_its_own_addresses(string name, string addresses) =>
        Assert.That(string.Join(',', TenantNames.Find(Facts, 16, name)!), Is.EqualTo(addresses));

    [TestCase("example.com")]
    [TestCase("db.blue.svc.cluster.local", Description = "another tenant's")]
    [TestCase("kubernetes.default.svc.cluster.local")]
    [TestCase("cluster.local")]
    public void Other_names_are_left_to_the_cluster(string name) => Assert.That(TenantNames.Find(Facts, 16, name), Is.Null);

    [Test]
    public void A_message_is_read_and_answered_in_the_family_that_was_asked_for()
    {
        var query = Query("DB.red.svc.cluster.local", DnsMessage.TypeA);
        var message = DnsMessage.Read(query)!;
        Assert.That((message.Name, message.Type), Is.EqualTo(("db.red.svc.cluster.local", DnsMessage.TypeA)));
        var answer = message.Answer(DnsMessage.NoError, [IPAddress.Parse("10.0.0.5"), IPAddress.Parse("fd00::5")]);
        Assert.That(answer[..2], Is.EqualTo(query[..2]));
        Assert.That((answer[2] & 0x80, answer[3] & 0x0F, answer[7]), Is.EqualTo((0x80, 0, 1)), "a response, no error, one answer");
        Assert.That(answer[^4..], Is.EqualTo(new byte[] { 10, 0, 0, 5 }));
        Assert.That(DnsMessage.Read(query)!.Answer(DnsMessage.NameError, [])[3] & 0x0F, Is.EqualTo(3));
    }

    [Test]
    public void Damaged_messages_are_no_questions()
    {
        var query = Query("a.b", DnsMessage.TypeA);
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = query[..random.Next(query.Length + 1)];
            if (damaged.Length > 0)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }

            Assert.DoesNotThrow(() => DnsMessage.Read(damaged)?.Answer(DnsMessage.NoError, [IPAddress.Loopback]));
        }

        Assert.That(DnsMessage.Read(query[..^1]), Is.Null);
        Assert.That(DnsMessage.Read(new byte[12]), Is.Null);
    }

    private static byte[] Query(string name, ushort type) =>
    [
        0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
        .. name.Split('.').SelectMany(l => new[] { (byte)l.Length }.Concat(System.Text.Encoding.ASCII.GetBytes(l))), 0, 0, (byte)type, 0, 1,
    ];
}
