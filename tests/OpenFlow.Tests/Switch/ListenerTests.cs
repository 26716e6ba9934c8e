using System.Net;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;

namespace Weft.OpenFlow.Tests.Switch;

public sealed class ListenerTests
{
    [Test]
    public async Task A_switch_that_calls_in_is_served_like_one_that_was_called()
    {
        await using var real = await RealSwitch.StartAsync();
        await using var listener = OpenFlowListener.Tcp(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)listener.LocalEndPoint).Port;
        await using var incoming = OpenFlowSwitch.Over("incoming", listener.AcceptAsync, new OpenFlowOptions { ConnectTimeout = TimeSpan.FromSeconds(10) });
        incoming.Start();
        await real.Database.VsctlAsync(wait: true, "set-controller", "br0", $"tcp:127.0.0.1:{port}");
        await incoming.WaitForLiveAsync().WaitAsync(TimeSpan.FromSeconds(10));
        (await incoming.ApplyAsync([FlowMod.Add(FlowText.Parse("table=9,tcp,tp_dst=80 actions=output:1"))])).ThrowIfFailed();
        Assert.That((await real.Connection.DumpFlowsAsync(new FlowFilter(9))).Single().Flow.ToString(), Is.EqualTo("table=9, tcp,tp_dst=80 actions=output:1"));
    }

    [TestCase("unix:/run/a.mgmt", "unix:/run/a.mgmt")]
    [TestCase("tcp:10.0.0.1", "tcp:10.0.0.1:6653")]
    [TestCase("tcp:10.0.0.1:6633", "tcp:10.0.0.1:6633")]
    [TestCase("ssl:[fd00::1]:7", "ssl:fd00::1:7")]
    public void Endpoints_are_read(string text, string expected) => Assert.That(OpenFlowEndpoint.Parse(text).ToString(), Is.EqualTo(expected));

    [TestCase("unix:")]
    [TestCase("udp:1.2.3.4")]
    [TestCase("tcp:host:0")]
    [TestCase("tcp:host:x")]
    public void Wrong_endpoints_are_refused_with_the_right_forms(string text) =>
        Assert.That(() => OpenFlowEndpoint.Parse(text), Throws.TypeOf<FormatException>().With.Message.Contains("unix:PATH"));

    [Test]
    public void Waits_double_up_to_the_longest_and_jitter_shortens_them()
    {
        var policy = new ReconnectPolicy(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), 0.5);
        Assert.That(Enumerable.Range(1, 6).Select(n => policy.Wait(n, 0).TotalMilliseconds), Is.EqualTo(new[] { 100, 200, 400, 800, 1000, 1000 }));
        Assert.That(policy.Wait(1, 1).TotalMilliseconds, Is.EqualTo(50));
    }
}
