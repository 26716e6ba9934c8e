using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer.Tests;

public sealed class CelTests
{
    private static readonly JsonNode Self = JsonNode.Parse("""
        {"name":"web","replicas":3,"ratio":0.5,"on":true,"tags":["a","b","c"],"cidr":"10.0.0.0/24","ip":"10.0.0.7","map":{"x":1,"y":2},
         "ports":[{"name":"http","port":80},{"name":"https","port":443}],"namespace":"reserved","dash-ed":1,"nothing":null}
        """)!;

    [TestCase("1 + 2 * 3 == 7")]
    [TestCase("(1 + 2) * 3 == 9")]
    [TestCase("7 / 2 == 3 && 7 % 2 == 1 && -7 / 2 == -3")]
    [TestCase("1.5 + 1.5 == 3.0 && 1 < 1.5 && 2 == 2.0")]
    [TestCase("0xff == 255")]
    [TestCase("'a' + \"b\" == 'ab' && r'\\d' == '\\\\d'")]
    [TestCase("'''it's''' == \"it's\"")]
    [TestCase("true || 1/0 == 1")]
    [TestCase("!(false && 1/0 == 1)")]
    [TestCase("1/0 == 1 || true")]
    [TestCase("self.replicas > 2 ? true : false")]
    [TestCase("has(self.name) && !has(self.missing)")]
    [TestCase("has(self.map.x) && !has(self.map.z)")]
    [TestCase("size(self.tags) == 3 && self.tags.size() == 3 && size('äöü') == 3 && size(self.map) == 2")]
    [TestCase("'b' in self.tags && !('z' in self.tags) && 'x' in self.map")]
    [TestCase("self.tags[1] == 'b' && self.map['y'] == 2")]
    [TestCase("self.ports.all(p, p.port > 0 && p.port < 65536)")]
    [TestCase("self.ports.exists(p, p.name == 'https')")]
    [TestCase("self.ports.exists_one(p, p.port == 80)")]
    [TestCase("self.ports.map(p, p.port) == [80, 443]")]
    [TestCase("self.ports.map(p, p.port > 100, p.name) == ['https']")]
    [TestCase("self.ports.filter(p, p.port == 80).size() == 1")]
    [TestCase("self.map.all(k, self.map[k] > 0)")]
    [TestCase("self.tags.all(t, self.ports.exists(p, p.name != t))")]
    [TestCase("self.name.startsWith('w') && self.name.endsWith('b') && self.name.contains('e')")]
    [TestCase("self.name.matches('^[a-z]+$') && !self.name.matches('^[0-9]+$')")]
    [TestCase("'a,b,c'.split(',') == ['a','b','c'] && ['a','b'].join('-') == 'a-b'")]
    [TestCase("'Hello'.lowerAscii() == 'hello' && 'abc'.substring(1) == 'bc' && 'abc'.indexOf('c') == 2 && ' a '.trim() == 'a'")]
    [TestCase("'abc'.replace('b', 'x') == 'axc' && 'x%s'.format(['y']) == 'x%s'.replace('%s','y')")]
    [TestCase("int('42') == 42 && string(42) == '42' && double(1) == 1.0 && type(1) == int && type('') == string")]
    [TestCase("isIP('::1') && isIP('10.0.0.1') && !isIP('10.0.0.256') && !isIP('10.0.0.01')")]
    [TestCase("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0') && !isCIDR('10.0.0.0/33')")]
    [TestCase("cidr(self.cidr).containsIP(self.ip) && !cidr(self.cidr).containsIP('10.0.1.1')")]
    [TestCase("cidr(self.cidr).containsIP(ip(self.ip)) && cidr('10.0.0.0/8').containsCIDR(self.cidr) && !cidr(self.cidr).containsCIDR('10.0.0.0/8')")]
    [TestCase("cidr(self.cidr).prefixLength() == 24 && cidr('10.0.0.9/24').masked() == cidr('10.0.0.0/24') && cidr('fd00::/8').ip().family() == 6")]
    [TestCase("ip(self.ip).family() == 4 && ip('127.0.0.1').isLoopback() && ip.isCanonical('::1') && !ip.isCanonical('0:0:0:0:0:0:0:1')")]
    [TestCase("[1,2,3].sum() == 6 && [3,1,2].max() == 3 && [1,2,2].distinct().size() == 2 && [1,2,3].isSorted()")]
    [TestCase("{'a': 1}.a == 1 && {'a': 1} == {'a': 1.0}")]
    [TestCase("self.__namespace__ == 'reserved' && self.dash__dash__ed == 1 || self.on")]
    [TestCase("duration('1h30m') > duration('60m') && timestamp('2024-01-01T00:00:00Z') < timestamp('2025-01-01T00:00:00Z')")]
    [TestCase("self.nothing == null && !(self.tags == null)")]
    [TestCase("cel.bind(n, self.replicas * 2, n == 6 && n + n == 12)")]
    [TestCase("oldSelf.replicas <= self.replicas")]
    public void Holds(string expression) => Assert.That(Evaluate(expression), Is.EqualTo(true));

    [TestCase("self.missing == 1", "no such key: missing")]
    [TestCase("undeclared", "undeclared reference to 'undeclared'")]
    [TestCase("1 + 'a' == 2", "no such overload: int + string")]
    [TestCase("1 / 0 == 1", "division by zero")]
    [TestCase("9223372036854775807 + 1 > 0", "integer overflow")]
    [TestCase("self.tags[9] == 'a'", "index out of bounds: 9")]
    [TestCase("self.name.nope()", "no such overload: nope(string)")]
    [TestCase("cidr('x').prefixLength() == 1", "invalid CIDR address")]
    [TestCase("self.name ? true : false", "expected bool")]
    public void Fails_with_a_reason(string expression, string reason) =>
        Assert.That(() => Evaluate(expression), Throws.TypeOf<CelException>().With.Message.Contains(reason));

    [TestCase("1 +")]
    [TestCase("(1")]
    [TestCase("'open")]
    [TestCase("a b")]
    [TestCase("1 ? 2")]
    [TestCase("#")]
    [TestCase("")]
    [TestCase("99999999999999999999")]
    public void What_is_no_expression_is_refused(string text) => Assert.Throws<CelException>(() => CelExpression.Parse(text));

    [Test]
    public void Deep_nesting_is_refused_instead_of_overflowing_the_stack() =>
        Assert.Throws<CelException>(() => CelExpression.Parse(new string('(', 100_000) + "1" + new string(')', 100_000)));

    [Test]
    public void Work_is_bounded()
    {
        var list = "[" + string.Join(",", Enumerable.Range(0, 200)) + "]";
        Assert.That(() => Evaluate($"{list}.all(a, {list}.all(b, {list}.all(c, a + b + c >= 0)))"), Throws.TypeOf<CelException>().With.Message.Contains("costs too much"));
    }

    [Test]
    public void Damaged_expressions_are_errors_and_never_crashes()
    {
        var random = new Random(1);
        const string good = "self.ports.all(p, p.port > 0 && p.name.matches('^[a-z]+$')) || cidr(self.cidr).containsIP('10.0.0.1') ? [1,2] == {'a': 3.5} : !has(self.x)";
        for (var i = 0; i < 20_000; i++)
        {
            var text = good.ToCharArray();
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                text[random.Next(text.Length)] = (char)random.Next(32, 127);
            }

            try
            {
                Evaluate(new string(text));
            }
            catch (CelException e)
            {
                Assert.That(e.Message, Is.Not.Empty);
            }
        }
    }

    private static object? Evaluate(string expression) => CelExpression.Parse(expression).Evaluate(new Dictionary<string, object?>
    {
        ["self"] = CelExpression.FromJson(Self),
        ["oldSelf"] = CelExpression.FromJson(JsonNode.Parse("""{"replicas":1}""")),
    });
}
