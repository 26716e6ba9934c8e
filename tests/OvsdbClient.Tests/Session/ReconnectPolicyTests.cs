namespace Weft.Ovsdb.Tests.Session;

/// <summary>The pure part of reconnecting.</summary>
public sealed class ReconnectPolicyTests
{
    [TestCase(1, 0.0, 100)]
    [TestCase(2, 0.0, 200)]
    [TestCase(3, 0.0, 400)]
    [TestCase(7, 0.0, 6400)]
    [TestCase(8, 0.0, 8000)]
    [TestCase(1000000, 0.0, 8000)]
    [TestCase(1, 1.0, 70)]
    [TestCase(8, 1.0, 5600)]
    [TestCase(8, 0.5, 6800)]
    public void The_wait_doubles_up_to_a_limit_less_the_jitter(int failures, double chance, double expected) =>
        Assert.That(new ReconnectPolicy().Delay(failures, chance).TotalMilliseconds, Is.EqualTo(expected).Within(0.001));

    [Test]
    public void There_is_no_wait_before_a_failure() =>
        Assert.That(() => new ReconnectPolicy().Delay(0, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
}
