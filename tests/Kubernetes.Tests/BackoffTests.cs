namespace Weft.Kubernetes.Tests;

public sealed class BackoffTests
{
    [Test]
    public void Waits_double_up_to_the_longest_and_start_over_after_a_success()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8), new Random(1));
        var waits = Enumerable.Range(0, 40).Select(_ => backoff.Next().TotalSeconds).ToArray();
        for (var i = 0; i < waits.Length; i++)
        {
            var middle = Math.Min(8, Math.Pow(2, i));
            Assert.That(waits[i], Is.InRange(middle * 0.75, middle * 1.25), $"wait {i}");
        }

        Assert.That(waits[3..].Distinct().Count(), Is.GreaterThan(30), "many clients must not come back together");
        backoff.Reset();
        Assert.That(backoff.Next().TotalSeconds, Is.InRange(0.75, 1.25));
    }

    [Test]
    public void What_the_server_asks_for_is_the_least()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8), new Random(1));
        Assert.That(backoff.Next(TimeSpan.FromSeconds(30)).TotalSeconds, Is.InRange(30, 31));
    }
}
