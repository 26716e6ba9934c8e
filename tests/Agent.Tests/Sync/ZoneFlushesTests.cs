using Weft.Agent.Sync;

namespace Weft.Agent.Tests.Sync;

public sealed class ZoneFlushesTests
{
    private readonly List<string> _sent = [];
    private ZoneFlushes _zones = null!;
    private bool _isCut;

    [SetUp]
    public void Start()
    {
        (_isCut, _zones) = (false, new ZoneFlushes((zone, _) =>
        {
            _sent.Add(zone.ToString(System.Globalization.CultureInfo.InvariantCulture));
            return _isCut ? Task.FromException(new IOException("cut")) : Task.CompletedTask;
        }));
        _sent.Clear();
    }

    [Test]
    public async Task A_zone_is_emptied_before_the_flows_that_use_it_and_the_next_one_after_them()
    {
        _zones.Before(1);
        _zones.After(2);
        await SendFlowsAsync(1);
        Assert.That(_sent, Is.EqualTo(new[] { "1", "flows", "2" }));
        _zones.Before(2);
        _zones.After(3);
        await SendFlowsAsync(1);
        Assert.That(_sent, Is.EqualTo(new[] { "1", "flows", "2", "flows", "3" }), "one that was emptied in advance costs nothing");
    }

    [Test]
    public async Task A_zone_that_is_needed_at_once_is_emptied_before_and_not_in_advance()
    {
        _zones.Before(1);
        _zones.After(2);
        _zones.Before(2);
        _zones.After(3);
        await SendFlowsAsync(1);
        Assert.That(_sent, Is.EqualTo(new[] { "1", "2", "flows", "3" }), "two networks in one batch");
    }

    [Test]
    public async Task What_may_be_lost_with_a_connection_is_sent_again_on_the_next_one()
    {
        _zones.Before(1);
        _zones.After(2);
        await SendFlowsAsync(1);
        _zones.Before(2);
        await SendFlowsAsync(2);
        Assert.That(_sent, Is.EqualTo(new[] { "1", "flows", "2", "2", "flows" }), "nothing came after it that was confirmed");

        _zones.Before(3);
        _isCut = true;
        Assert.That(async () => await SendFlowsAsync(2), Throws.TypeOf<IOException>());
        _isCut = false;
        await SendFlowsAsync(3);
        Assert.That(_sent[5..], Is.EqualTo(new[] { "3", "3", "flows" }));
        await SendFlowsAsync(4);
        Assert.That(_sent[8..], Is.EqualTo(new[] { "flows" }), "what is confirmed is in use, and not emptied again");
    }

    private async Task SendFlowsAsync(int connection)
    {
        await _zones.BeforeFlowsAsync(connection, CancellationToken.None);
        _sent.Add("flows");
        _zones.Confirm();
        await _zones.AfterFlowsAsync(CancellationToken.None);
    }
}
