using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Controller.Tests;

public sealed class ControllerOptionsTests
{
    [Test]
    public void A_file_gives_the_settings_of_all_nodes()
    {
        var options = Load("""{"tlsDir":"/tls","tunnel":"vxlan","mtu":1400,"clusterCidrs":["10.244.7.0/16"],"serviceCidrs":["fd00:96::1/112"]}""");
        Assert.That(options.Settings, Is.EqualTo(new ClusterSettings
        {
            Id = ClusterSettings.TheId, Tunnel = TunnelType.Vxlan, Mtu = 1400, ClusterCidrs = ["10.244.0.0/16"], ServiceCidrs = ["fd00:96::/112"],
        }));
    }

    [TestCase("""{}""", "tlsDir is missing")]
    [TestCase("""{"tlsDir":"d","listen":"7443"}""", "listen is '7443'")]
    [TestCase("""{"tlsDir":"d","tunnel":"ipip"}""", "tunnel is 'ipip'")]
    [TestCase("""{"tlsDir":"d","tunnel":"1"}""", "tunnel is '1'")]
    [TestCase("""{"tlsDir":"d","mtu":100}""", "mtu is 100")]
    [TestCase("""{"tlsDir":"d","clusterCidrs":["10.244.0.0"]}""", "clusterCidrs has '10.244.0.0'")]
    [TestCase("""{"tlsDir":"d","serviceCidrs":["10.0.0.0/33"]}""", "serviceCidrs has '10.0.0.0/33'")]
    [TestCase("""{"tlsDir":"d","agentAuthentication":"maybe"}""", "agentAuthentication is 'maybe'")]
    [TestCase("""{"tlsDir":"d","tlsNames":["a.example","b c"]}""", "tlsNames has 'b c'")]
    [TestCase("""{"tlsDir":"d","namespace":""}""", "namespace is empty")]
    [TestCase("""{"tlsDirectory":"d"}""", "tlsDirectory")]
    [TestCase("""{"mtu":"many"}""", "$.mtu")]
    [TestCase("""null""", "the file is empty")]
    public void A_wrong_field_is_named(string json, string named) =>
        Assert.That(() => Load(json), Throws.InstanceOf<ControllerConfigurationException>().With.Message.Contains(named));

    [Test]
    public void A_missing_file_is_named() =>
        Assert.That(() => ControllerOptions.Load("/does/not/exist.json"), Throws.InstanceOf<ControllerConfigurationException>().With.Message.Contains("/does/not/exist.json"));

    private static ControllerOptions Load(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("c.json"), json);
        return ControllerOptions.Load(folder.File("c.json"));
    }
}
