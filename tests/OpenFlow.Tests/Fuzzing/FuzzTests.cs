namespace Weft.OpenFlow.Fuzzing;

public sealed class FuzzTests
{
    /// <summary>A million; ten million are <c>scripts/bench fuzz</c>.</summary>
    [Test]
    public void Damaged_messages_throw_nothing_but_the_librarys_own_exceptions()
    {
        const int Workers = 2;
        var findings = new List<string>();
        Parallel.For(0, Workers, w =>
        {
            var found = new MessageFuzzer(seed: 100 + w).Run(1_000_000 / Workers);
            lock (findings)
            {
                findings.AddRange(found);
            }
        });
        Assert.That(findings, Is.Empty);
    }
}
