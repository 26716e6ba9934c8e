using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>A pod in a namespace of a lab, with the addresses that it has and those that Kubernetes knows.</summary>
/// <param name="Tenant">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Node">Its node.</param>
/// <param name="Netns">Where it lives.</param>
/// <param name="V4">Its address in its network.</param>
/// <param name="V6">Its address in its network.</param>
/// <param name="Known">The addresses in its status: aliases, when it is a tenant's.</param>
/// <param name="Mac">The MAC address of eth0.</param>
public sealed record TenantPod(string Tenant, string Name, string Node, Netns Netns, IPAddress V4, IPAddress V6, IReadOnlyList<IPAddress> Known, string Mac)
{
    /// <summary>Its address of the link, as the others of its network would write it.</summary>
    public required IPAddress LinkLocal { get; init; }

    /// <summary>Names its server, so that an answer says which pod of which tenant gave it.</summary>
    public string Id => $"{Tenant}/{Name}";

    public NetnsProbe Probe => new(Netns);

    public IPAddress Address(AddressFamily family) => family == AddressFamily.InterNetwork ? V4 : V6;

    public IPAddress Alias(AddressFamily family) => Known.Single(a => a.AddressFamily == family);

    public Task<ProbeServer> ServeAsync() => ProbeServer.StartAsync(Netns, Id, [80], [80]);

    public override string ToString() => $"{Id} on {Node}";
}

/// <summary>What tests of tenants do with a lab.</summary>
public static class TenantLab
{
    private const string Group = "/apis/weft.dev/v1alpha1/";

    /// <summary>The command of a web server for both families. As <c>python3 -m http.server</c> it would ask a name server for its own name first, 10 s where none answers.</summary>
    public static JsonArray HttpServer(int port) => new("python3", "-c",
        $"import http.server as h, socket; socket.getfqdn = str; h.test(h.SimpleHTTPRequestHandler, h.ThreadingHTTPServer, port={port}, bind='::')");

    /// <summary>Makes a Vpc with one Subnet for one namespace, all of one name.</summary>
    public static async Task TenantAsync(this TestLab lab, string name, params string[] cidrs)
    {
        await lab.CreateAsync("/api/v1/namespaces", Json("v1", "Namespace", name, null));
        await lab.CreateAsync(Group + "vpcs", Json("weft.dev/v1alpha1", "Vpc", name, []));
        await lab.CreateAsync(Group + "subnets", Json("weft.dev/v1alpha1", "Subnet", name, new JsonObject
        {
            ["vpc"] = name,
            ["cidrs"] = new JsonArray([.. cidrs.Select(c => JsonValue.Create(c))]),
            ["namespaces"] = new JsonArray(name),
        }));
        await lab.ConditionAsync("subnets", name, "True", "Ready");
    }

    public static Task CreateAsync(this TestLab lab, string path, JsonObject value) => lab.Api.CreateAsync(path, value, CancellationToken.None);

    public static Task CreateAsync(this TestLab lab, string path, string json) => lab.CreateAsync(path, JsonNode.Parse(json)!.AsObject());

    /// <summary>Waits until the condition Ready of an object says this.</summary>
    public static async Task ConditionAsync(this TestLab lab, string plural, string name, string status, string reason)
    {
        var seen = "";
        await Eventually.True($"{plural} {name} Ready={status} {reason}", async () =>
        {
            var found = await lab.Api.FindAsync($"{Group}{plural}/{name}", CancellationToken.None);
            var condition = found?["status"]?["conditions"]?.AsArray().FirstOrDefault(c => (string?)c!["type"] == "Ready");
            seen = condition?.ToJsonString() ?? "no condition";
            return (string?)condition?["status"] == status && (string?)condition["reason"] == reason;
        }, TimeSpan.FromSeconds(20)).ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}; it says {seen}") : 0, TaskScheduler.Default);
    }

    /// <summary>Makes a pod and waits until it is ready.</summary>
    public static async Task<TenantPod> TenantPodAsync(this TestLab lab, string ns, string name, string node, JsonObject? annotations = null, JsonObject? labels = null, JsonObject? container = null)
    {
        var json = Json("v1", "Pod", name, new JsonObject
        {
            ["nodeName"] = node,
            ["terminationGracePeriodSeconds"] = 1,
            ["containers"] = new JsonArray(container ?? new JsonObject { ["name"] = "main", ["image"] = "none" }),
        });
        json["metadata"]!["annotations"] = annotations;
        json["metadata"]!["labels"] = labels;
        await lab.CreateAsync($"/api/v1/namespaces/{ns}/pods", json);
        return await lab.ReadTenantPodAsync(ns, name);
    }

    /// <summary>Waits until a pod is ready, or has its addresses at least, and looks into it.</summary>
    public static async Task<TenantPod> ReadTenantPodAsync(this TestLab lab, string ns, string name, bool mustBeReady = true)
    {
        var view = await Eventually.Some($"pod {ns}/{name} ready", async () =>
            await lab.Api.FindAsync($"/api/v1/namespaces/{ns}/pods/{name}", CancellationToken.None) is { } pod && PodView.Read(pod) is { Addresses.Count: 2, Netns: not null } found && (found.Ready || !mustBeReady) ? found : null,
            TimeSpan.FromSeconds(60));
        var shown = await TestLab.InAsync(view.Netns!, "ip", "-o", "addr", "show", "dev", "eth0", "scope", "global");
        IPAddress Of(string family) => IPAddress.Parse(shown.Split($" {family} ")[1].Split('/')[0]);
        var link = await TestLab.InAsync(view.Netns!, "ip", "-o", "link", "show", "eth0");
        var mac = link.Split("link/ether ")[1].Split(' ')[0];
        var local = (await TestLab.InAsync(view.Netns!, "ip", "-o", "addr", "show", "dev", "eth0", "scope", "link")).Split(" inet6 ")[1].Split('/')[0];
        return new TenantPod(ns, name, view.Node, view.Netns!, Of("inet"), Of("inet6"), view.Addresses, mac) { LinkLocal = IPAddress.Parse($"{local}%{link.Split(':')[0]}") };
    }

    /// <summary>Deletes a pod and waits until nothing of it is in the API.</summary>
    public static async Task DeleteTenantPodAsync(this TestLab lab, string ns, string name)
    {
        var path = $"/api/v1/namespaces/{ns}/pods/{name}";
        await lab.Api.DeleteAsync(path, CancellationToken.None);
        await Eventually.True($"pod {ns}/{name} gone", async () => await lab.Api.FindAsync(path, CancellationToken.None) is null, TimeSpan.FromSeconds(30));
    }

    /// <summary>Joins two Vpcs: one object for each side.</summary>
    public static async Task PeerAsync(this TestLab lab, string one, string other)
    {
        foreach (var (from, to) in new[] { (one, other), (other, one) })
        {
            await lab.CreateAsync(Group + "vpcpeerings", Json("weft.dev/v1alpha1", "VpcPeering", $"{from}-{to}", new JsonObject { ["vpc"] = from, ["peerVpc"] = to }));
        }
    }

    public static JsonObject Json(string version, string kind, string name, JsonObject? spec)
    {
        var json = new JsonObject { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = name } };
        if (spec is not null)
        {
            json["spec"] = spec;
        }

        return json;
    }
}
