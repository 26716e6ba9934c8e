using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Weft.Agent.Plan.Policies;

namespace Weft.Agent.Tests.Plan;

public sealed class CidrsTests
{
    [Test]
    public void A_range_without_exceptions_covers_exactly_the_rest()
    {
        var exception = from bits in Gen.Choose(24, 32) from low in Gen.Choose(0, 255) select Network(low, bits);
        Prop.ForAll(Gen.ListOf(exception).ToArbitrary(), except =>
        {
            var left = Cidrs.Without(IPNetwork.Parse("10.0.0.0/24"), except).ToList();
            for (var i = 0; i < 256; i++)
            {
                var address = new IPAddress(new byte[] { 10, 0, 0, (byte)i });
                Assert.That(left.Count(c => c.Contains(address)), Is.EqualTo(except.Any(e => e.Contains(address)) ? 0 : 1), address.ToString());
            }
        }).QuickCheckThrowOnFailure();
    }

    [Test]
    public void One_exception_costs_at_most_one_prefix_a_bit()
    {
        Assert.That(Cidrs.Without(IPNetwork.Parse("0.0.0.0/0"), [IPNetwork.Parse("10.1.2.3/32")]).Count(), Is.EqualTo(32));
        Assert.That(Cidrs.Without(IPNetwork.Parse("::/0"), [IPNetwork.Parse("fd00::1/128")]).Count(), Is.EqualTo(128));
    }

    [Test]
    public void Port_masks_match_exactly_the_range()
    {
        Prop.ForAll(Gen.Choose(0, 65535).ToArbitrary(), Gen.Choose(0, 65535).ToArbitrary(), (a, b) =>
        {
            var (first, last) = (Math.Min(a, b), Math.Max(a, b));
            var masks = Cidrs.PortMasks(first, last).ToList();
            foreach (var port in new[] { 0, first - 1, first, (first + last) / 2, last, last + 1, 65535 }.Where(p => p is >= 0 and <= 65535))
            {
                Assert.That(masks.Count(m => (port & m.Mask) == m.Value), Is.EqualTo(port >= first && port <= last ? 1 : 0), $"{port} in {first}-{last}");
            }
        }).QuickCheckThrowOnFailure();
    }

    private static IPNetwork Network(int low, int bits) =>
        new(new IPAddress(new byte[] { 10, 0, 0, (byte)(low & (0xff << (32 - bits))) }), bits);
}
