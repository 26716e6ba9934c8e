namespace Weft.Ovsdb.Tests.Transport;

/// <summary>Connection methods as ovsdb(7) writes them.</summary>
public sealed class OvsdbEndpointTests
{
    [TestCase("unix:/run/db.sock", "unix:/run/db.sock")]
    [TestCase("punix:/run/db.sock", "punix:/run/db.sock")]
    [TestCase("tcp:10.0.0.1:6642", "tcp:10.0.0.1:6642")]
    [TestCase("tcp:10.0.0.1", "tcp:10.0.0.1:6640")]
    [TestCase("ssl:[fe80::1]:7", "ssl:[fe80::1]:7")]
    [TestCase("ssl:[fe80::1]", "ssl:[fe80::1]:6640")]
    [TestCase("tcp:name.example:1", "tcp:name.example:1")]
    [TestCase("ptcp:6641", "ptcp:6641:0.0.0.0")]
    [TestCase("ptcp:", "ptcp:6640:0.0.0.0")]
    [TestCase("pssl:0:127.0.0.1", "pssl:0:127.0.0.1")]
    [TestCase("ptcp:1:[::1]", "ptcp:1:[::1]")]
    public void What_is_read_is_written_in_full_and_read_again(string text, string full)
    {
        var endpoint = OvsdbEndpoint.Parse(text);

        Assert.That(endpoint.ToString(), Is.EqualTo(full));
        Assert.That(OvsdbEndpoint.Parse(full), Is.EqualTo(endpoint));
    }

    [TestCase("")]
    [TestCase("unix:")]
    [TestCase("/run/db.sock")]
    [TestCase("http:x")]
    [TestCase("tcp:")]
    [TestCase("tcp:1.2.3.4:99999")]
    [TestCase("tcp:1.2.3.4:x")]
    [TestCase("ssl:[::1")]
    [TestCase("ssl:[::1]x")]
    [TestCase("ptcp:1:name")]
    public void What_is_none_is_refused_with_the_text_in_it(string text) =>
        Assert.That(() => OvsdbEndpoint.Parse(text), Throws.TypeOf<FormatException>().With.Message.Contains($"\"{text}\""));

    [Test]
    public void A_list_is_separated_by_commas() =>
        Assert.That(OvsdbEndpoint.ParseList("tcp:a:1, tcp:b:2,").Select(e => e.Address), Is.EqualTo(new[] { "a", "b" }));
}
