using System.Collections.Immutable;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Services: families, ClusterIPs and NodePorts are given out when the object is written, and kept.</summary>
/// <remarks>What is taken is read from the stored Services, so nothing leaks and nothing is lost over a restart. Two writers at the same
/// moment are told apart by reservations that last until the object is stored.</remarks>
public sealed class ServiceStrategy(ImmutableArray<CidrRange> ranges, ObjectStore store) : ResourceStrategy
{
    private const int FirstNodePort = 30000;
    private const int LastNodePort = 32767;

    private readonly Lock _gate = new();

    /// <summary>Addresses and ports by who has them ("ns/name"). Entries of Services that do not exist are free again.</summary>
    private readonly Dictionary<string, string> _owners = new(StringComparer.Ordinal);
    private bool _loaded;

    public override void PrepareCreate(JsonObject tree) => Complete(tree, null);

    public override void PrepareUpdate(JsonObject tree, JsonObject old) => Complete(tree, old);

    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var spec = tree["spec"];
        var type = spec.Text("type");
        var ports = spec.At("ports").Objects().ToList();
        if (ports.Count == 0 && type != "ExternalName" && spec.Text("clusterIP") != "None")
        {
            errors.Add(FieldError.Required("spec.ports"));
        }

        if (type == "ExternalName" && string.IsNullOrEmpty(spec.Text("externalName")))
        {
            errors.Add(FieldError.Required("spec.externalName"));
        }

        for (var i = 0; i < ports.Count; i++)
        {
            if (ports.Count > 1 && string.IsNullOrEmpty(ports[i].Text("name")))
            {
                errors.Add(FieldError.Required($"spec.ports[{i}].name"));
            }

            var target = ports[i]["targetPort"];
            if (target.Integer() is < 1 or > 65535)
            {
                errors.Add(FieldError.Invalid($"spec.ports[{i}].targetPort", target, "must be between 1 and 65535, inclusive"));
            }

            if (ports.Take(i).Any(p => p.Text("name") == ports[i].Text("name")))
            {
                errors.Add(FieldError.Duplicate($"spec.ports[{i}].name", ports[i].Text("name") ?? ""));
            }
        }

        if (type == "ClusterIP" && ports.FindIndex(p => p.Integer("nodePort") is > 0) is >= 0 and var withNodePort)
        {
            errors.Add(FieldError.Forbidden($"spec.ports[{withNodePort}].nodePort", "may not be used when `type` is 'ClusterIP'"));
        }

        CheckAddresses(spec, old, errors);
    }

    private void CheckAddresses(JsonNode? spec, JsonObject? old, List<FieldError> errors)
    {
        var index = 0;
        foreach (var address in spec.At("clusterIPs").Texts().Where(a => a.Length > 0 && a != "None"))
        {
            if (!IPAddress.TryParse(address, out var ip))
            {
                errors.Add(FieldError.Invalid($"spec.clusterIPs[{index}]", address, "must be a valid IP address"));
            }
            else if (!ranges.Any(r => r.Contains(ip)))
            {
                errors.Add(FieldError.Invalid("spec.clusterIPs", new JsonArray(address), $"failed to allocate IP {address}: the provided IP is not in the valid range ({string.Join(", ", ranges)})"));
            }

            index++;
        }

        var before = old.Text("spec", "clusterIP");
        if (!string.IsNullOrEmpty(before) && before != spec.Text("clusterIP") && old.Text("spec", "type") != "ExternalName" && spec.Text("type") != "ExternalName")
        {
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", spec.At("clusterIPs")?.DeepClone(), "may not change once set"));
        }
    }

    private void Complete(JsonObject tree, JsonObject? old)
    {
        var spec = tree.Child("spec");
        spec["internalTrafficPolicy"] ??= spec.Text("type") == "ExternalName" ? null : "Cluster";
        if (spec["internalTrafficPolicy"] is null)
        {
            spec.Remove("internalTrafficPolicy");
        }

        if (spec.Text("type") is "NodePort" or "LoadBalancer")
        {
            spec["externalTrafficPolicy"] ??= "Cluster";
        }

        if (spec.Text("type") == "LoadBalancer")
        {
            spec["allocateLoadBalancerNodePorts"] ??= true;
        }

        if (spec.Text("sessionAffinity") == "ClientIP")
        {
            spec.Child("sessionAffinityConfig").Child("clientIP")["timeoutSeconds"] ??= 10800;
        }

        foreach (var port in spec["ports"].Objects())
        {
            if (spec.Text("clusterIP") != "None" || port["targetPort"] is null)
            {
                port["targetPort"] ??= port["port"]?.DeepClone();
            }
        }

        if (old is null)
        {
            tree["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        }

        var owner = $"{tree.Text("metadata", "namespace")}/{tree.Text("metadata", "name")}";
        lock (_gate)
        {
            Load();
            if (spec.Text("type") == "ExternalName")
            {
                foreach (var name in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
                {
                    spec.Remove(name);
                }

                return;
            }

            KeepOld(spec, old?["spec"]);
            SetFamilies(spec);
            AllocateAddresses(spec, owner);
            AllocatePorts(spec, owner);
        }
    }

    /// <summary>A client that sends the object without its addresses means "the same as before".</summary>
    private static void KeepOld(JsonObject spec, JsonNode? old)
    {
        if (old is null || old.Text("type") == "ExternalName")
        {
            return;
        }

        foreach (var name in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
        {
            if (string.IsNullOrEmpty(spec.Text(name)) && spec[name] is not JsonArray)
            {
                spec[name] = old.At(name)?.DeepClone();
            }
        }

        foreach (var port in spec["ports"].Objects().Where(p => p.Integer("nodePort") is null or 0 && spec.Text("type") != "ClusterIP"))
        {
            var same = old.At("ports").Objects().FirstOrDefault(p => p.Integer("port") == port.Integer("port") && p.Text("protocol") == port.Text("protocol"));
            if (same.Integer("nodePort") is > 0 and var number)
            {
                port["nodePort"] = number;
            }
        }
    }

    private void SetFamilies(JsonObject spec)
    {
        var families = spec["ipFamilies"].Texts().ToList();
        var given = spec["clusterIPs"].Texts().Where(a => a != "None").ToList();
        if (given.Count == 0 && spec.Text("clusterIP") is { Length: > 0 } single and not "None")
        {
            given.Add(single);
        }

        if (families.Count == 0)
        {
            families.AddRange(given.Select(a => a.Contains(':') ? "IPv6" : "IPv4"));
        }

        var policy = spec.Text("ipFamilyPolicy") ?? (families.Count > 1 ? "RequireDualStack" : "SingleStack");
        if (families.Count == 0)
        {
            families.Add(ranges[0].IsIpv6 ? "IPv6" : "IPv4");
        }

        if (policy == "SingleStack")
        {
            families = families[..1];
        }
        else if (families.Count == 1 && ranges.Length > 1)
        {
            families.Add(families[0] == "IPv4" ? "IPv6" : "IPv4");
        }

        if (policy == "RequireDualStack" && ranges.Length < 2)
        {
            throw new ApiException(422, "Invalid", "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services");
        }

        if (families.Find(f => !ranges.Any(r => r.IsIpv6 == (f == "IPv6"))) is { } missing)
        {
            throw new ApiException(422, "Invalid", $"spec.ipFamilies[0]: Invalid value: \"{missing}\": not configured on this cluster");
        }

        spec["ipFamilyPolicy"] = policy;
        spec["ipFamilies"] = families.ToJson();
    }

    private void AllocateAddresses(JsonObject spec, string owner)
    {
        if (spec.Text("clusterIP") == "None" || spec["clusterIPs"].Texts().FirstOrDefault() == "None")
        {
            spec["clusterIP"] = "None";
            spec["clusterIPs"] = new JsonArray("None");
            return;
        }

        var addresses = spec["clusterIPs"].Texts().Where(a => a.Length > 0).ToList();
        if (addresses.Count == 0 && spec.Text("clusterIP") is { Length: > 0 } first)
        {
            addresses.Add(first);
        }

        var families = spec["ipFamilies"].Texts().ToList();
        addresses = [.. addresses.Take(families.Count)];
        foreach (var address in addresses)
        {
            if (!Take(Canonical(address), owner))
            {
                throw new ApiException(422, "Invalid", $"Service \"{owner.Split('/')[1]}\" is invalid: spec.clusterIPs: Invalid value: [\"{address}\"]: failed to allocate IP {address}: provided IP is already allocated");
            }
        }

        foreach (var family in families.Skip(addresses.Count))
        {
            addresses.Add(FreeAddress(ranges.First(r => r.IsIpv6 == (family == "IPv6")), owner));
        }

        spec["clusterIP"] = addresses[0];
        spec["clusterIPs"] = addresses.ToJson();
    }

    private string FreeAddress(CidrRange range, string owner)
    {
        // The first address is the API server's own; a random start keeps a deleted Service's address unused for a while.
        var usable = (int)BigInteger.Min(range.Size - (range.IsIpv6 ? 2 : 3), 1 << 20);
        var start = RandomNumberGenerator.GetInt32(Math.Max(1, usable));
        for (var i = 0; i < usable; i++)
        {
            var address = range.Address(2 + ((start + i) % usable)).ToString();
            if (Take(address, owner))
            {
                return address;
            }
        }

        throw new ApiException(500, "InternalError", $"failed to allocate a serviceIP: range {range} is full");
    }

    private void AllocatePorts(JsonObject spec, string owner)
    {
        if (spec.Text("type") is not ("NodePort" or "LoadBalancer") || (spec.Text("type") == "LoadBalancer" && !spec.Flag("allocateLoadBalancerNodePorts")))
        {
            // A Service that is a NodePort no more gives its ports back.
            return;
        }

        foreach (var port in spec["ports"].Objects())
        {
            var protocol = port.Text("protocol");
            if (port.Integer("nodePort") is > 0 and var wanted)
            {
                if (wanted is < FirstNodePort or > LastNodePort || !Take($"{protocol}:{wanted}", owner))
                {
                    throw new ApiException(422, "Invalid", $"Service \"{owner.Split('/')[1]}\" is invalid: spec.ports[0].nodePort: Invalid value: {wanted}: " +
                        (wanted is < FirstNodePort or > LastNodePort ? $"provided port is not in the valid range. The range of valid ports is {FirstNodePort}-{LastNodePort}" : "provided port is already allocated"));
                }

                continue;
            }

            var count = LastNodePort - FirstNodePort + 1;
            var start = RandomNumberGenerator.GetInt32(count);
            var free = Enumerable.Range(0, count).Select(i => FirstNodePort + ((start + i) % count)).FirstOrDefault(n => Take($"{protocol}:{n}", owner));
            port["nodePort"] = free > 0 ? free : throw new ApiException(500, "InternalError", "failed to allocate a nodePort: range is full");
        }
    }

    private bool Take(string what, string owner)
    {
        if (_owners.TryGetValue(what, out var other) && other != owner && StillHas(other, what))
        {
            return false;
        }

        _owners[what] = owner;
        return true;
    }

    private bool StillHas(string owner, string what)
    {
        var parts = owner.Split('/');
        return store.Find("services", parts[0], parts[1])?.ToTree() is { } tree && Holdings(tree).Contains(what);
    }

    private void Load()
    {
        if (!_loaded)
        {
            _loaded = true;
            foreach (var item in store.Snapshot("services").Items)
            {
                foreach (var what in Holdings(item.ToTree()))
                {
                    _owners[what] = $"{item.Namespace}/{item.Name}";
                }
            }
        }
    }

    private static IEnumerable<string> Holdings(JsonObject tree) =>
        tree.At("spec", "clusterIPs").Texts().Where(a => a != "None").Select(Canonical)
            .Concat(tree.At("spec", "ports").Objects().Where(p => p.Integer("nodePort") is > 0).Select(p => $"{p.Text("protocol")}:{p.Integer("nodePort")}"));

    private static string Canonical(string address) => IPAddress.TryParse(address, out var ip) ? ip.ToString() : address;
}
