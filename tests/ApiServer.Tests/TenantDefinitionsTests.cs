using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Lab.Cluster;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>The definitions of Vpc, Subnet, VpcPeering and AddressPool as the chart has them: what they fill in, what they refuse and in which words, what they show.</summary>
public sealed class TenantDefinitionsTests
{
    private const string Group = "/apis/weft.dev/v1alpha1/";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(new LabPrograms().Root, "deploy/helm/weft/crds")))
        {
            var definition = YamlText.Documents(await File.ReadAllTextAsync(file))[0].Root;
            await _server.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition.ToJsonString());
        }
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [TestCase("vpcs", """{}""", """{"natOutgoing":true,"sharedServices":[{"namespace":"default","name":"kubernetes"},{"namespace":"kube-system","name":"kube-dns"}]}""")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"]}""", """{"vpc":"v","cidrs":["10.0.0.0/24"],"private":false,"ipam":"Dynamic"}""")]
    public async Task What_is_left_out_is_filled_in(string plural, string spec, string filled)
    {
        var made = await _server.CreateAsync(Group + plural, Object("defaults", spec));
        Assert.That(JsonNode.DeepEquals(made["spec"], JsonNode.Parse(filled)), made["spec"]!.ToJsonString());
    }

    [Test]
    public async Task A_Vpc_needs_no_spec_and_gets_one()
    {
        var made = await _server.CreateAsync(Group + "vpcs", """{"metadata":{"name":"bare"}}""");
        Assert.That((bool?)made["spec"]?["natOutgoing"], Is.True, made.ToJsonString());
    }

    [TestCase("vpcs", """{"staticRoutes":[{"cidr":"10.0.0.0","nextHopIP":"10.0.0.1"}]}""", "must be a CIDR such as 192.168.0.0/16")]
    [TestCase("vpcs", """{"staticRoutes":[{"cidr":"10.0.0.0/8","nextHopIP":"gateway"}]}""", "must be an IP address")]
    [TestCase("vpcs", """{"staticRoutes":[{"cidr":"10.0.0.0/8","nextHopIP":"fd00::1"}]}""", "cidr and nextHopIP must be of one family")]
    [TestCase("vpcs", """{"staticRoutes":[{"cidr":"10.0.0.0/8","nextHopIP":"10.0.0.1"},{"cidr":"10.0.0.0/8","nextHopIP":"10.0.0.2"}]}""", "Duplicate value")]
    [TestCase("vpcs", """{"sharedServices":[{"namespace":"default"}]}""", "Required value")]
    [TestCase("vpcs", """{"quota":{"ports":-1}}""", "greater than or equal to 0")]
    [TestCase("vpcs", """{"quota":{"addresses":1.5}}""", "must be of type integer")]
    [TestCase("vpcs", """{"namespaces":["a","a"]}""", "Duplicate value")]
    [TestCase("vpcs", """{"namespaceSelector":{"matchExpressions":[{"key":"a","operator":"Like"}]}}""", "supported values: \"In\", \"NotIn\", \"Exists\", \"DoesNotExist\"")]
    [TestCase("subnets", """{"cidrs":["10.0.0.0/24"]}""", "Required value")]
    [TestCase("subnets", """{"vpc":"v"}""", "Required value")]
    [TestCase("subnets", """{"vpc":"v","cidrs":[]}""", "should have at least 1 items")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0"]}""", "must be a CIDR such as 10.0.0.0/24")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.5/24"]}""", "must have no host bits")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/31"]}""", "must be a /8 to /30 of IPv4 or a /48 to /126 of IPv6")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["0.0.0.0/4"]}""", "must be a /8 to /30 of IPv4 or a /48 to /126 of IPv6")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["fd00::/127"]}""", "must be a /8 to /30 of IPv4 or a /48 to /126 of IPv6")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["169.254.87.0/24"]}""", "loopback, link-local, multicast and fd57:4546:5400::/48 are not for pods")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["169.0.0.0/8"]}""", "loopback, link-local")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["127.1.0.0/16"]}""", "loopback, link-local")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["239.0.0.0/24"]}""", "loopback, link-local")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["fd57:4546:5400::/64"]}""", "loopback, link-local")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["fe80::/64"]}""", "loopback, link-local")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"gateways":["10.0.1.1"]}""", "every gateway must be in one of the cidrs")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"gateways":["first"]}""", "must be an IP address")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"excludeIPs":["10.0.0.1-10.0.0.9"]}""", "must be an address such as 10.0.0.5 or a range such as 10.0.0.5..10.0.0.9")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"excludeIPs":["10.0.0.1..fd00::1"]}""", "both ends of a range must be of one family")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"allowSubnets":["10.9.0.0/24"]}""", "allowSubnets needs private")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"private":true,"allowSubnets":["all"]}""", "must be a CIDR such as 10.0.0.0/24")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"mtu":500}""", "greater than or equal to 576")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["fd00::/64"],"mtu":1200}""", "IPv6 needs an mtu of at least 1280")]
    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"],"ipam":"DHCP"}""", "supported values: \"Dynamic\", \"Static\"")]
    [TestCase("vpcpeerings", """{"vpc":"a"}""", "Required value")]
    [TestCase("vpcpeerings", """{"vpc":"a","peerVpc":"a"}""", "a Vpc does not peer with itself")]
    [TestCase("vpcpeerings", """{"vpc":"a","peerVpc":"b","subnets":["s","s"]}""", "Duplicate value")]
    [TestCase("addresspools", """{"subnet":"s"}""", "Required value")]
    [TestCase("addresspools", """{"subnet":"s","ips":[]}""", "should have at least 1 items")]
    [TestCase("addresspools", """{"subnet":"s","ips":["10.0.0.0/24"]}""", "must be an address such as 10.0.0.5 or a range such as 10.0.0.5..10.0.0.9")]
    [TestCase("addresspools", """{"subnet":"s","ips":["10.0.0.1..fd00::1"]}""", "both ends of a range must be of one family")]
    public async Task What_makes_no_sense_is_refused_in_words(string plural, string spec, string words)
    {
        var answer = await _server.PostAsync(Group + plural, Object("wrong", spec));
        Assert.That((answer.Code, answer.Message), Is.EqualTo((422, answer.Message)), answer.Body.ToJsonString());
        Assert.That(answer.Message, Does.Contain(words));
    }

    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"]}""", """{"vpc":"w"}""", "a Subnet does not move to another Vpc; make a new one")]
    [TestCase("vpcpeerings", """{"vpc":"a","peerVpc":"b"}""", """{"peerVpc":"c"}""", "vpc and peerVpc do not change; make a new VpcPeering")]
    [TestCase("addresspools", """{"subnet":"s","ips":["10.0.0.1"]}""", """{"subnet":"t"}""", "a pool does not move to another Subnet; make a new one")]
    public async Task What_an_object_is_about_does_not_change(string plural, string spec, string change, string words)
    {
        await _server.CreateAsync(Group + plural, Object("kept", spec));
        var answer = await _server.PatchAsync($"{Group}{plural}/kept", "merge", $$"""{"spec":{{change}}}""");
        Assert.That((answer.Code, answer.Message), Is.EqualTo((422, answer.Message)));
        Assert.That(answer.Message, Does.Contain(words));
    }

    [TestCase("subnets", """{"vpc":"v","cidrs":["10.0.0.0/24"]}""", """{"cidrs":["10.0.0.0/24","10.1.0.0/24"]}""")]
    [TestCase("addresspools", """{"subnet":"s","ips":["10.0.0.1"]}""", """{"ips":["10.0.0.1","10.0.0.3..10.0.0.9"]}""")]
    [TestCase("vpcs", """{}""", """{"namespaces":["a"],"quota":{"ports":5},"natOutgoing":false}""")]
    public async Task What_may_grow_grows(string plural, string spec, string change)
    {
        await _server.CreateAsync(Group + plural, Object("grows", spec));
        var answer = await _server.PatchAsync($"{Group}{plural}/grows", "merge", $$"""{"spec":{{change}}}""");
        Assert.That((answer.Code, answer.Body.Integer("metadata", "generation")), Is.EqualTo((200, 2L)), answer.Message);
    }

    [TestCase("vpcs", "wvpc", "Name Ready Key Subnets Ports Nodes NAT Reason Age")]
    [TestCase("subnets", "wsub", "Name Vpc CIDRs Ready Used Available Private Namespaces Reason Age")]
    [TestCase("vpcpeerings", "wpeer", "Name Vpc Peer Ready Reason Age")]
    [TestCase("addresspools", "wpool", "Name Subnet Used Total Ready Age")]
    public async Task Kubectl_finds_them_by_short_name_and_category_and_shows_their_columns(string plural, string shortName, string columns)
    {
        var resource = (await _server.GetAsync(Group.TrimEnd('/'))).Body["resources"].Objects().Single(r => r.Text("name") == plural);
        Assert.That((resource["shortNames"]!.ToJsonString(), resource["categories"]!.ToJsonString(), (bool?)resource["namespaced"]), Is.EqualTo(($"""["{shortName}"]""", """["weft"]""", false)));
        var table = (await _server.GetAsync(Group + plural, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).Body;
        Assert.That(string.Join(' ', table["columnDefinitions"].Objects().Select(c => c.Text("name"))), Is.EqualTo(columns));
    }

    private static string Object(string name, string spec) => $$"""{"metadata":{"name":"{{name}}"},"spec":{{spec}}}""";
}
