using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Agent.Tests.Fuzzing;

/// <summary>Damages text: any characters anywhere, or single values of JSON, which get deeper.</summary>
internal sealed class TextMutator(Random random)
{
    private static readonly string[] Fragments =
    [
        "null", "{}", "[]", "\"\"", "-1", "1e999", "\"\\ud800\"", "true", "\\u0000", "\"cniVersion\":\"1.1.0\"", "\"prevResult\":{}", "\"ips\":[\"::1\"]", "99999999999999999999",
        "\"runtimeConfig\":{\"mac\":\"0a:58:00:00:00:01\"}", "\"cni.dev/valid-attachments\":[{}]", "DEL", "CHECK", "GC", "STATUS", "VERSION", "\ud83d\ude00", "\t", "0.3.1", ";", "=", "/", "..",
    ];

    private static readonly string[] Values =
    [
        "null", "{}", "[]", "[[]]", "[null]", "[\"\"]", "\"\"", "\"x\"", "0", "-1", "1", "65536", "2147483647", "-2147483648", "4294967296", "1e999", "1.5", "true", "false", "\"1\"",
        "\"0.0.0.0/0\"", "\"::/0\"", "\"10.244.1.0/33\"", "\"10.244.1.10\"", "\"fd00::1\"", "\"fe80::1%eth0\"", "\"::ffff:10.0.0.1\"", "\"255.255.255.255\"", "\"224.0.0.1\"", "\"00:00:00:00:00:00\"",
        "\"ff:ff:ff:ff:ff:ff\"", "\"default/a\"", "\"node1\"", "\"node2\"", "\"default\"", "\"\\u0000\"", "\"cluster\"", "\"udp\"", "\"policy\"", "\"delta\"",
    ];

    /// <summary>Changes characters here and there.</summary>
    public string Characters(string text, int times)
    {
        var result = new StringBuilder(text);
        for (var i = 0; i < times; i++)
        {
            var at = random.Next(result.Length + 1);
            switch (random.Next(5))
            {
                case 0 when at < result.Length:
                    result[at] = (char)random.Next(1, 0x180);
                    break;
                case 1 when at < result.Length:
                    result.Remove(at, random.Next(1, Math.Min(20, result.Length - at) + 1));
                    break;
                case 2:
                    result.Insert(at, Fragments[random.Next(Fragments.Length)]);
                    break;
                case 3:
                    result.Insert(at, new string((char)random.Next(0x20, 0x7f), random.Next(1, 300)));
                    break;
                default:
                    result.Length = at;
                    break;
            }
        }

        return result.ToString();
    }

    /// <summary>Replaces, removes or repeats values of a JSON text.</summary>
    public string Json(string text, int times)
    {
        var root = JsonNode.Parse(text)!;
        for (var i = 0; i < times; i++)
        {
            var nodes = new List<JsonNode>();
            Collect(root, nodes);
            var node = nodes[random.Next(nodes.Count)];
            switch (node)
            {
                case JsonObject { Count: > 0 } item:
                    var key = item.ElementAt(random.Next(item.Count)).Key;
                    if (random.Next(4) == 0)
                    {
                        item.Remove(key);
                    }
                    else
                    {
                        item[key] = Value();
                    }

                    break;
                case JsonArray { Count: > 0 } list when random.Next(2) == 0:
                    list[random.Next(list.Count)] = Value();
                    break;
                case JsonArray { Count: > 0 } list:
                    list.Add(list[random.Next(list.Count)]?.DeepClone());
                    break;
                case JsonArray list:
                    list.Add(Value());
                    break;
            }
        }

        return root.ToJsonString();
    }

    private JsonNode? Value() => Values[random.Next(Values.Length)] is "1e999" ? JsonValue.Create(1e300) : JsonNode.Parse(Values[random.Next(Values.Length)]);

    private static void Collect(JsonNode? node, List<JsonNode> into)
    {
        switch (node)
        {
            case JsonObject item:
                into.Add(item);
                foreach (var (_, value) in item)
                {
                    Collect(value, into);
                }

                break;
            case JsonArray list:
                into.Add(list);
                foreach (var value in list)
                {
                    Collect(value, into);
                }

                break;
        }
    }
}
