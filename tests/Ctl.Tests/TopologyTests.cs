using System.Text.Json.Nodes;
using System.Xml.Linq;
using Weft.Ctl.Drawing;

namespace Weft.Ctl.Tests;

/// <summary>The picture of a topology holds everything that there is, in each of its forms.</summary>
public sealed class TopologyTests
{
    private static readonly TopologyGraph Graph = TopologyGraph.Of(
        Items("""[{"spec":{"id":"vpc/red","networkKey":16}},{"spec":{"id":"default","networkKey":1}}]"""),
        Items("""[{"spec":{"id":"subnet/red","networkKey":16,"subnets":[{"cidr":"10.0.0.0/24"}]}},{"spec":{"id":"node1","networkKey":1,"subnets":[{"cidr":"10.244.1.0/24"}]}}]"""),
        Items("""
            [{"metadata":{"namespace":"red","name":"a<b"},"spec":{"switch":"subnet/red","node":"node1"},"status":{"addresses":["10.0.0.5"],"realised":true}},
             {"metadata":{"namespace":"x","name":"late"},"spec":{"switch":"node1","node":"node1"},"status":{"addresses":[],"realised":false}}]
            """),
        Items("""[{"metadata":{"name":"node2"},"spec":{"addresses":["192.0.2.2"]}},{"metadata":{"name":"node1"},"spec":{"addresses":["192.0.2.1"]}}]"""));

    [Test]
    public void Text_is_a_tree_with_the_tunnels_below()
    {
        Assert.That(TopologyText.Tree(Graph), Is.EqualTo("""
            router default  key 1
              switch node1  10.244.1.0/24
                pod x/late    on node1  not attached yet
            router vpc/red  key 16
              switch subnet/red  10.0.0.0/24
                pod red/a<b  10.0.0.5  on node1
            tunnel node1 192.0.2.1 -- node2 192.0.2.2

            """));
    }

    [Test]
    public void The_picture_is_well_formed_and_names_everything()
    {
        var picture = XDocument.Parse(TopologySvg.Draw(Graph));
        var text = string.Join('\n', picture.Descendants().Where(e => e.Name.LocalName is "text" or "title").Select(e => e.Value));
        foreach (var name in new[] { "default", "vpc/red", "key 16", "subnet/red", "10.0.0.0/24", "red/a<b", "x/late", "node1", "node2", "192.0.2.2", "tunnel node1 - node2" })
        {
            Assert.That(text, Does.Contain(name));
        }
    }

    [Test]
    public void Dot_joins_each_switch_with_its_router_and_its_pods()
    {
        var dot = TopologyText.Dot(Graph);
        Assert.That(dot, Does.StartWith("graph weft {").And.EndsWith("}\n"));
        Assert.That(dot, Does.Contain("\"r vpc/red\" -- \"s subnet/red\";").And.Contain("\"s subnet/red\" -- \"p red/a<b\";").And.Contain("\"n node1\" -- \"n node2\""));
    }

    [Test]
    public void Programs_get_networks_switches_pods_and_nodes()
    {
        var json = TopologyText.ToJson(Graph);
        Assert.That(json["networks"]!.AsArray().Select(n => (string?)n!["name"]), Is.EqualTo(new[] { "default", "vpc/red" }));
        var red = json["networks"]![1]!["switches"]![0]!;
        Assert.That(red["pods"]!.ToJsonString(), Is.EqualTo("""[{"name":"red/a\u003Cb","node":"node1","addresses":["10.0.0.5"],"realised":true}]"""));
        Assert.That((string?)json["nodes"]![1]!["tunnelEnd"], Is.EqualTo("192.0.2.2"));
    }

    [Test]
    public void Nothing_at_all_is_drawn_too()
    {
        var empty = TopologyGraph.Of([], [], [], []);
        Assert.That(TopologyText.Tree(empty), Is.Empty);
        Assert.That(XDocument.Parse(TopologySvg.Draw(empty)).Root!.Name.LocalName, Is.EqualTo("svg"));
    }

    private static List<JsonNode> Items(string json) => [.. JsonNode.Parse(json)!.AsArray().OfType<JsonNode>()];
}
