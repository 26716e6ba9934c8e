using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Weft.Cni.Tests;

/// <summary>What a runtime sees, by the CNI specification 1.1.0.</summary>
public sealed class PluginTests
{
    private const string Configuration = """{"cniVersion":"1.0.0","name":"weft","type":"weft-cni","socket":"SOCKET"}""";

    private static readonly CniEnvironment Add = new()
    {
        Command = "ADD", ContainerId = "c1", Netns = "/run/netns/x", IfName = "eth0", Args = "K8S_POD_NAME=a", Path = "/opt/cni/bin",
    };

    [Test]
    public void The_agent_gets_everything_unchanged_and_its_answer_is_printed_unchanged()
    {
        const string result = """{"cniVersion":"1.0.0","ips":[],"ünknown":1}""";
        using var agent = new FakeAgent(FakeAgent.Answer(0, result));
        var config = Configuration.Replace("SOCKET", agent.SocketPath, StringComparison.Ordinal);

        var (exit, output) = Run(Add, config);

        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.Zero);
            Assert.That(output, Is.EqualTo(result + "\n"));
            Assert.That(agent.Asked, Is.EqualTo(new[] { Add.ToRequest(config) }));
        });
    }

    [Test]
    public void The_agents_error_and_exit_code_are_the_plugins()
    {
        using var agent = new FakeAgent(FakeAgent.Answer(7, """{"code":100}"""));
        var (exit, output) = Run(Add, Configuration.Replace("SOCKET", agent.SocketPath, StringComparison.Ordinal));
        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(7));
            Assert.That(output, Is.EqualTo("{\"code\":100}\n"));
        });
    }

    [Test]
    public void Nothing_is_printed_when_the_agent_says_nothing()
    {
        using var agent = new FakeAgent(FakeAgent.Answer(0, ""));
        var (exit, output) = Run(Add with { Command = "DEL", Netns = "" }, Configuration.Replace("SOCKET", agent.SocketPath, StringComparison.Ordinal));
        Assert.That((exit, output), Is.EqualTo((0, "")));
    }

    [Test]
    public void A_missing_agent_is_code_11_and_says_where_it_was_looked_for_and_what_to_do()
    {
        var error = Fails(Add, Configuration.Replace("SOCKET", "/nowhere/cni.sock", StringComparison.Ordinal), code: 11);
        Assert.Multiple(() =>
        {
            Assert.That(error.GetProperty("msg").GetString(), Does.Contain("/nowhere/cni.sock"));
            Assert.That(error.GetProperty("details").GetString(), Does.Contain("weft-agent"));
            Assert.That(error.GetProperty("cniVersion").GetString(), Is.EqualTo("1.0.0"));
        });
    }

    [TestCase("", 11, TestName = "An_agent_that_hangs_up_is_code_11")]
    [TestCase("no json\n", 5, TestName = "A_damaged_answer_is_code_5")]
    [TestCase("null\n", 5, TestName = "A_null_answer_is_code_5")]
    public void An_agent_that_misbehaves(string answer, int code)
    {
        using var agent = new FakeAgent(answer);
        Fails(Add, Configuration.Replace("SOCKET", agent.SocketPath, StringComparison.Ordinal), code);
    }

    [TestCase("ADD", "", "/n", "eth0", "CNI_CONTAINERID")]
    [TestCase("ADD", "c", "", "eth0", "CNI_NETNS")]
    [TestCase("CHECK", "c", "/n", "", "CNI_IFNAME")]
    [TestCase("DEL", "", "", "", "CNI_CONTAINERID, CNI_IFNAME")]
    [TestCase("", "c", "/n", "eth0", "CNI_COMMAND")]
    [TestCase("FROB", "c", "/n", "eth0", "FROB")]
    [TestCase("ADD", "-c", "/n", "eth0", "'-c'")]
    [TestCase("ADD", "c/d", "/n", "eth0", "'c/d'")]
    [TestCase("ADD", "c", "/n", "sixteen-letters-", "'sixteen-letters-'")]
    [TestCase("ADD", "c", "/n", "..", "'..'")]
    [TestCase("ADD", "c", "/n", "a b", "'a b'")]
    public void Wrong_variables_are_code_4_and_named(string command, string container, string netns, string ifName, string named)
    {
        var environment = new CniEnvironment { Command = command, ContainerId = container, Netns = netns, IfName = ifName };
        Assert.That(Fails(environment, Configuration, code: 4).GetProperty("msg").GetString(), Does.Contain(named));
    }

    [TestCase("", 6, "empty")]
    [TestCase("{", 6, "line 1")]
    [TestCase("[]", 6, "Array")]
    [TestCase("\"a\"", 6, "String")]
    [TestCase("""{"cniVersion":"9.0.0","name":"x"}""", 1, "9.0.0")]
    [TestCase("""{"cniVersion":"0.3.0","name":"x"}""", 1, "0.3.0")]
    [TestCase("""{"name":"x"}""", 1, "0.1.0")]
    [TestCase("""{"cniVersion":1,"name":"x"}""", 7, "cniVersion")]
    [TestCase("""{"cniVersion":"1.1.0"}""", 7, "name")]
    [TestCase("""{"cniVersion":"1.1.0","name":"x","socket":"relative"}""", 7, "relative")]
    [TestCase("""{"cniVersion":"1.1.0","name":"x","socket":{}}""", 7, "socket")]
    [TestCase("""{"cniVersion":"1.1.0","name":"\ud800"}""", 6, "name")]
    public void A_configuration_that_cannot_be_used_is_refused_by_name(string config, int code, string named) =>
        Assert.That(Fails(Add, config, code).GetProperty("msg").GetString(), Does.Contain(named));

    [Test]
    public void Bytes_that_are_no_UTF_8_are_code_6()
    {
        var output = new MemoryStream();
        Plugin.Run(Add, new MemoryStream([(byte)'{', 0xff, (byte)'}']), output);
        Assert.That(Encoding.UTF8.GetString(output.ToArray()), Does.Contain("\"code\":6").And.Contain("UTF-8"));
    }

    [TestCase("CHECK", "0.3.1")]
    [TestCase("STATUS", "1.0.0")]
    [TestCase("GC", "1.0.0")]
    public void A_command_that_is_newer_than_the_configurations_version_is_code_1(string command, string version)
    {
        var error = Fails(Add with { Command = command }, $$"""{"cniVersion":"{{version}}","name":"x"}""", code: 1);
        Assert.That(error.GetProperty("msg").GetString(), Does.Contain(command).And.Contain(version));
    }

    [TestCase("0.3.1")]
    [TestCase("1.1.0")]
    [TestCase("7.0.0")]
    public void VERSION_is_answered_without_an_agent_and_repeats_the_version_it_was_asked_in(string version)
    {
        var (exit, output) = Run(new CniEnvironment { Command = "VERSION" }, $$"""{"cniVersion":"{{version}}"}""");
        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.Zero);
            Assert.That(output, Is.EqualTo(
                $$"""{"cniVersion":"{{version}}","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}""" + "\n"));
        });
    }

    [Test]
    public void Damaged_configurations_always_give_a_CNI_error_and_never_an_exception()
    {
        var valid = Encoding.UTF8.GetBytes(Configuration.Replace("SOCKET", "/nowhere/s", StringComparison.Ordinal));
        var damage = Gen.Zip(Gen.Choose(0, valid.Length - 1), Gen.Choose(0, 255)).ListOf();
        var count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 300_000 : 3_000;
        var property = Prop.ForAll(Arb.From(damage), changes =>
        {
            var bytes = valid.ToArray();
            foreach (var (at, value) in changes)
            {
                bytes[at] = (byte)value;
            }

            var output = new MemoryStream();
            var exit = Plugin.Run(Add, new MemoryStream(bytes), output);
            using var error = JsonDocument.Parse(output.ToArray());
            return exit == 1 && error.RootElement.GetProperty("code").GetInt32() is 1 or 6 or 7 or 11;
        });
        property.Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(count));
    }

    private static JsonElement Fails(CniEnvironment environment, string config, int code)
    {
        var (exit, output) = Run(environment, config);
        using var document = JsonDocument.Parse(output);
        var error = document.RootElement.Clone();
        Assert.Multiple(() =>
        {
            Assert.That(exit, Is.EqualTo(1));
            Assert.That(error.GetProperty("code").GetInt32(), Is.EqualTo(code), output);
            Assert.That(error.GetProperty("details").GetString(), Is.Not.Empty);
        });
        return error;
    }

    private static (int Exit, string Output) Run(CniEnvironment environment, string config)
    {
        var output = new MemoryStream();
        var exit = Plugin.Run(environment, new MemoryStream(Encoding.UTF8.GetBytes(config)), output);
        return (exit, Encoding.UTF8.GetString(output.ToArray()));
    }
}
