using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Weft.Ctl.Drawing;

namespace Weft.Ctl.Tests;

/// <summary>The picture of a topology holds everything that there is, in each of its forms.</summary>
public sealed class TopologyTests
{
    private static readonly TopologyGraph Graph = TopologyGraph.Of(
        Items("""[{"spec":{"id":"vpc/red","networkKey":16}},{"spec":{"id":"vpc/blue","networkKey":17}},{"spec":{"id":"default","networkKey":1}}]"""),
        Items("""[{"spec":{"id":"subnet/red","networkKey":16,"subnets":[{"cidr":"10.0.0.0/24"}]}},{"spec":{"id":"node1","networkKey":1,"subnets":[{"cidr":"10.244.1.0/24"}]}}]"""),
        Items("""
            [{"metadata":{"namespace":"red","name":"a<b"},"spec":{"switch":"subnet/red","node":"node1"},"status":{"addresses":["10.0.0.5"],"realised":true}},
             {"metadata":{"namespace":"x","name":"late"},"spec":{"switch":"node1","node":"node1"},"status":{"addresses":[],"realised":false}}]
            """),
        Items($"""[{Peering("r-b", "red", "blue", "True", "Ready")},{Peering("b-r", "blue", "red", "True", "Ready")},{Peering("again", "blue", "red", "False", "Duplicate")},{Peering("r-n", "red", "nobody", "False", "VpcMissing")}]"""),
        Items("""[{"metadata":{"name":"node2"},"spec":{"addresses":["192.0.2.2"]}},{"metadata":{"name":"node1"},"spec":{"addresses":["192.0.2.1"]}}]"""));

    [Test]
    public void Text_is_a_tree_with_peerings_and_tunnels_below()
    {
        Assert.That(TopologyText.Tree(Graph), Is.EqualTo("""
            router default  key 1
              switch node1  10.244.1.0/24
                pod x/late    on node1  not attached yet
            router vpc/blue  key 17
            router vpc/red  key 16
              switch subnet/red  10.0.0.0/24
                pod red/a<b  10.0.0.5  on node1
            peering vpc/blue -- vpc/red  in force
            peering vpc/nobody -- vpc/red  not in force  VpcMissing: why of r-n
            tunnel node1 192.0.2.1 -- node2 192.0.2.2

            """));
    }

    [Test]
    public void The_picture_is_well_formed_and_names_everything()
    {
        var picture = XDocument.Parse(TopologySvg.Draw(Graph));
        var text = string.Join('\n', picture.Descendants().Where(e => e.Name.LocalName is "text" or "title").Select(e => e.Value));
        foreach (var name in new[] { "default", "vpc/red", "key 16", "subnet/red", "10.0.0.0/24", "red/a<b", "x/late", "node1", "node2", "192.0.2.2", "tunnel node1 - node2", "peering vpc/blue - vpc/red: in force", "peering vpc/nobody - vpc/red: not in force, VpcMissing: why of r-n" })
        {
            Assert.That(text, Does.Contain(name));
        }
    }

    [Test]
    public void Dot_joins_each_switch_with_its_router_and_its_pods()
    {
        var dot = TopologyText.Dot(Graph);
        Assert.That(dot, Does.StartWith("graph weft {").And.EndsWith("}\n"));
        Assert.That(dot, Does.Contain("\"r vpc/blue\" -- \"r vpc/red\" [constraint=false, color=blue, label=\"peering\"];"));
        Assert.That(dot, Does.Contain("\"r vpc/nobody\" -- \"r vpc/red\" [constraint=false, color=red, style=dashed, label=\"peering not in force\\nVpcMissing\", tooltip=\"why of r-n\"];"));
        Assert.That(dot, Does.Contain("\"r vpc/red\" -- \"s subnet/red\";").And.Contain("\"s subnet/red\" -- \"p red/a<b\";").And.Contain("\"n node1\" -- \"n node2\""));
    }

    [Test]
    public void Programs_get_networks_switches_pods_and_nodes()
    {
        var json = TopologyText.ToJson(Graph);
        Assert.That(json["networks"]!.AsArray().Select(n => (string?)n!["name"]), Is.EqualTo(new[] { "default", "vpc/blue", "vpc/red" }));
        var red = json["networks"]![2]!["switches"]![0]!;
        Assert.That(red["pods"]!.ToJsonString(), Is.EqualTo("""[{"name":"red/a\u003Cb","node":"node1","addresses":["10.0.0.5"],"realised":true}]"""));
        Assert.That(json["peerings"]![1]!.ToJsonString(), Is.EqualTo("""{"one":"vpc/nobody","other":"vpc/red","inForce":false,"reason":"VpcMissing","message":"why of r-n"}"""));
        Assert.That((string?)json["nodes"]![1]!["tunnelEnd"], Is.EqualTo("192.0.2.2"));
    }

    [Test]
    public void A_peering_that_does_not_work_says_the_first_cause()
    {
        string Of(params string[] peerings) => TopologyPeering.Of(Items($"[{string.Join(',', peerings)}]")).Single() is { IsInForce: false } p ? $"{p.Reason}: {p.Message}" : "in force";
        Assert.That(Of(Peering("a", "one", "two", "False", "PeerMissing")), Is.EqualTo("PeerMissing: why of a"));
        Assert.That(Of(Peering("a", "one", "two", "False", "PeerCannot"), Peering("b", "two", "one", "False", "Overlap")), Is.EqualTo("Overlap: why of b"), "not only that the other side has one");
        Assert.That(Of(Peering("a", "one", "two", "True", "Ready"), Peering("b", "one", "two", "True", "Ready"), Peering("c", "two", "one", "False", "PeerCannot")), Is.EqualTo("PeerCannot: why of c"), "two of one side are not both sides");
        Assert.That(Of("""{"metadata":{"name":"new"},"spec":{"vpc":"one","peerVpc":"two"}}"""), Is.EqualTo("Pending: the controller has not judged VpcPeering new yet"));
    }

    // Routers, switches of each, pods of each, nodes.
    [TestCase(1, 0, 0, 0)]
    [TestCase(1, 1, 0, 1)]
    [TestCase(3, 2, 5, 3)]
    [TestCase(4, 3, 1, 6)]
    [TestCase(7, 1, 40, 20)]
    public void No_box_of_the_picture_covers_another_and_every_word_is_where_it_belongs(int networks, int switches, int pods, int nodes)
    {
        var names = Enumerable.Range(0, networks).Select(i => $"vpc/{new string('v', 10 * i)}{i}").ToList();
        var graph = new TopologyGraph(
            [.. names.Select((n, i) => new TopologyNetwork(n, 16 + i, [.. Enumerable.Range(0, switches).Select(s => new TopologySwitch(
                $"subnet/{s}-{new string('s', 5 * s)}", [.. Enumerable.Range(0, s + 1).Select(c => $"fd00:{i:x}:{s:x}:{c:x}:aaaa:bbbb:cccc:0/112")],
                [.. Enumerable.Range(0, pods).Select(p => new TopologyPod($"a-namespace-of-some-length/pod-{p}", "node1", ["10.0.0.1", $"fd00:aaaa:bbbb:cccc:dddd:eeee:ffff:{p:x}"], p % 2 == 0))]))]))],
            [.. from one in names from other in names where string.CompareOrdinal(one, other) < 0 select new TopologyPeering(one, other, one == names[0] ? "" : "Overlap", new string('w', 100))],
            [.. Enumerable.Range(0, nodes).Select(i => new TopologyNode($"a-node-with-a-name-{i}", $"fd00:172:30::{i:x}"))]);
        var picture = XDocument.Parse(TopologySvg.Draw(graph)).Root!;
        var (width, height) = (Number(picture, "width"), Number(picture, "height"));
        var boxes = picture.Elements().Where(e => e.Name.LocalName == "rect").Skip(1).Select(e => (X: Number(e, "x"), Y: Number(e, "y"), W: Number(e, "width"), H: Number(e, "height"))).ToList();
        Assert.That(boxes, Has.Count.EqualTo(networks + (networks * switches) + nodes));
        foreach (var (i, one) in boxes.Index())
        {
            Assert.That(one.X >= 0 && one.Y >= 0 && one.X + one.W <= width && one.Y + one.H <= height, $"{one} is in the picture of {width} x {height}");
            Assert.That(boxes.Skip(i + 1).Where(o => o.X < one.X + one.W && one.X < o.X + o.W && o.Y < one.Y + one.H && one.Y < o.Y + o.H), Is.Empty, $"{one} is covered");
        }

        // DejaVu Sans Mono, the widest of the fonts that are asked for: letters of 0.602, from 0.76 above the line to 0.24 below it.
        var size = Number(picture, "font-size");
        var words = picture.Elements().Where(e => e.Name.LocalName == "text")
            .Select(e => (X: Number(e, "x"), Y: Number(e, "y") - (0.76 * size), W: e.Value.Length * 0.602 * size, H: size, Text: e.Value)).ToList();
        foreach (var (i, one) in words.Index())
        {
            Assert.That(one.X + one.W <= width && one.Y >= 0 && one.Y + one.H <= height, $"'{one.Text}' is in the picture");
            Assert.That(boxes.Where(o => o.X < one.X + one.W && one.X < o.X + o.W && o.Y < one.Y + one.H && one.Y < o.Y + o.H && !(o.X < one.X && one.X + one.W < o.X + o.W && o.Y <= one.Y && one.Y + one.H <= o.Y + o.H)),
                Is.Empty, $"'{one.Text}' is in a box as a whole, or in none");
            Assert.That(words.Skip(i + 1).Where(o => o.X < one.X + one.W && one.X < o.X + o.W && o.Y < one.Y + one.H && one.Y < o.Y + o.H).Select(o => o.Text), Is.Empty, $"'{one.Text}' is written over");
        }

        foreach (var arc in picture.Elements().Where(e => (string?)e.Attribute("class") == "peering"))
        {
            Assert.That(arc.Attribute("d")!.Value.Split(' ')[1], Does.Match(@"^H[1-9]\d*$"), "a peering's lane is in the picture");
        }
    }

    [Test]
    public void Nothing_at_all_is_drawn_too()
    {
        var empty = TopologyGraph.Of([], [], [], [], []);
        Assert.That(TopologyText.Tree(empty), Is.Empty);
        Assert.That(XDocument.Parse(TopologySvg.Draw(empty)).Root!.Name.LocalName, Is.EqualTo("svg"));
    }

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static string Peering(string name, string vpc, string peer, string status, string reason) => new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["vpc"] = vpc, ["peerVpc"] = peer },
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = status, ["reason"] = reason, ["message"] = $"why of {name}" }),
        },
    }.ToJsonString();

    private static List<JsonNode> Items(string json) => [.. JsonNode.Parse(json)!.AsArray().OfType<JsonNode>()];
}
