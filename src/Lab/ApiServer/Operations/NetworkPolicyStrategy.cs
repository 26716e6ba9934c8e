using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>NetworkPolicy: policyTypes by default, and rules that cannot be are refused.</summary>
public sealed class NetworkPolicyStrategy : ResourceStrategy
{
    public override void PrepareCreate(JsonObject tree) => Complete(tree);

    public override void PrepareUpdate(JsonObject tree, JsonObject old) => Complete(tree);

    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        foreach (var (direction, peers) in ((string, string)[])[("ingress", "from"), ("egress", "to")])
        {
            var index = 0;
            foreach (var rule in tree.At("spec", direction).Objects())
            {
                var path = $"spec.{direction}[{index++}]";
                CheckPorts(rule, path, errors);
                CheckPeers(rule, path, peers, errors);
            }
        }
    }

    private static void Complete(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec["podSelector"] ??= new JsonObject();
        spec["policyTypes"] ??= spec["egress"] is JsonArray { Count: > 0 } ? new JsonArray("Ingress", "Egress") : new JsonArray("Ingress");
    }

    private static void CheckPorts(JsonObject rule, string path, List<FieldError> errors)
    {
        var index = 0;
        foreach (var port in rule["ports"].Objects())
        {
            var field = $"{path}.ports[{index++}]";
            if (port.Integer("port") is { } number && number is < 1 or > 65535)
            {
                errors.Add(FieldError.Invalid($"{field}.port", port["port"], "must be between 1 and 65535, inclusive"));
            }

            if (port.Integer("endPort") is { } end)
            {
                if (port.Integer("port") is not { } start)
                {
                    errors.Add(port["port"] is null
                        ? FieldError.Required($"{field}.port", "may not be empty when endPort is specified")
                        : FieldError.Invalid($"{field}.endPort", end, "may not be specified when port is non-numeric"));
                }
                else if (end < start)
                {
                    errors.Add(FieldError.Invalid($"{field}.endPort", end, "must be greater than or equal to `port`"));
                }
            }
        }
    }

    private static void CheckPeers(JsonObject rule, string path, string name, List<FieldError> errors)
    {
        var index = 0;
        foreach (var peer in rule[name].Objects())
        {
            var field = $"{path}.{name}[{index++}]";
            if (peer.Count == 0)
            {
                errors.Add(FieldError.Required(field, "must specify a peer"));
            }

            if (peer["ipBlock"] is not { } block)
            {
                continue;
            }

            if (peer["podSelector"] is not null || peer["namespaceSelector"] is not null)
            {
                errors.Add(FieldError.Forbidden(field, "may not specify both ipBlock and another peer"));
            }

            CheckExcept(block, $"{field}.ipBlock", errors);
        }
    }

    private static void CheckExcept(JsonNode block, string field, List<FieldError> errors)
    {
        if (!TryRead(block.Text("cidr"), out var outer))
        {
            return;
        }

        var index = 0;
        foreach (var text in block.At("except").Texts())
        {
            if (TryRead(text, out var inner) && (!outer.Contains(inner.BaseAddress) || inner.PrefixLength <= outer.PrefixLength))
            {
                errors.Add(FieldError.Invalid($"{field}.except[{index}]", text, "must be a strict subset of `cidr`"));
            }

            index++;
        }
    }

    /// <summary>Host bits are allowed here, as they are in the API.</summary>
    private static bool TryRead(string? text, out IPNetwork network)
    {
        network = default;
        var parts = (text ?? "").Split('/');
        if (parts.Length != 2 || !IPAddress.TryParse(parts[0], out var address) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return false;
        }

        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        network = new IPNetwork(new IPAddress(bytes), length);
        return true;
    }
}
