namespace Weft.Agent.Tests;

public sealed class AgentOptionsTests
{
    private const string Good = """{"nodeName":"node1","controllers":["https://c:7443"]}""";

    [TestCase("{}", "nodeName")]
    [TestCase("""{"nodeName":"n"}""", "controllers")]
    [TestCase("""{"nodeName":"n","controllers":["tcp:1.2.3.4"]}""", "controllers")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"datapathType":"kernel"}""", "datapathType")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"uplinkMtu":70000}""", "uplinkMtu")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"sparePorts":257}""", "sparePorts")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"sparePorts":8,"sparePortsNamespace":"ports"}""", "sparePortsNamespace")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"uplinkMtu":"big"}""", "uplinkMtu")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"bridge":"a-name-that-is-too-long"}""", "bridge")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"tunel":"gre"}""", "tunel")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"hostAccessToTenants":"root"}""", "hostAccessToTenants")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"kubeletCgroup":"a/../b"}""", "kubeletCgroup")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"hostCgroup":"cgroup"}""", "hostCgroup")]
    [TestCase("""{"nodeName":"n","controllers":["https://c"],"hostProc":"proc"}""", "hostProc")]
    [TestCase("null", "empty")]
    public void A_wrong_field_is_named(string json, string field)
    {
        Assert.That(() => Load(json), Throws.TypeOf<AgentConfigurationException>().With.Message.Contains(field));
    }

    [Test]
    public void A_small_file_gets_the_documented_defaults()
    {
        var options = Load(Good);
        Assert.That(options.Bridge, Is.EqualTo("br-int"));
        Assert.That(options.CniSocket, Is.EqualTo("/run/weft/cni.sock"));
    }

    [Test]
    public void A_missing_file_is_named() =>
        Assert.That(() => AgentOptions.Load("/nonexistent/agent.json"), Throws.TypeOf<AgentConfigurationException>().With.Message.Contains("/nonexistent/agent.json"));

    private static AgentOptions Load(string json)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json);
            return AgentOptions.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
