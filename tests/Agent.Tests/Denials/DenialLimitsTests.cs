using Weft.Agent.Denials;

namespace Weft.Agent.Tests.Denials;

public sealed class DenialLimitsTests
{
    private readonly Clock _clock = new();

    [Test]
    public void A_connection_has_a_line_a_second_which_says_how_many_were_passed_over()
    {
        var limits = new DenialLimits(_clock);
        Assert.That(limits.MayLog("a", out var more) ? more : -1, Is.Zero);
        Assert.That(Enumerable.Range(0, 7).Any(_ => limits.MayLog("a", out more)), Is.False);
        Assert.That(limits.MayLog("b", out more) ? more : -1, Is.Zero, "another one");
        _clock.Advance(1.1);
        Assert.That(limits.MayLog("a", out more) ? more : -1, Is.EqualTo(7));
        _clock.Advance(1.1);
        Assert.That(limits.MayLog("a", out more) ? more : -1, Is.Zero);
    }

    [Test]
    public void All_together_have_a_limit_too()
    {
        var limits = new DenialLimits(_clock);
        Assert.That(Enumerable.Range(0, 1000).Count(i => limits.MayLog($"{i}", out _)), Is.EqualTo(DenialLimits.LinesPerSecond));
        Assert.That(Enumerable.Range(0, 1000).Count(_ => limits.MayAnswer()), Is.EqualTo(DenialLimits.AnswersPerSecond));
        _clock.Advance(1.1);
        Assert.That(limits.MayAnswer() && limits.MayLog("later", out _), Is.True);
    }

    private sealed class Clock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now;

        public void Advance(double seconds) => _now += (long)(seconds * 1000);
    }
}
