using System.Text.Json.Nodes;

namespace Weft.Ctl.WhatIf;

/// <summary>Who reaches whom, for each port asked.</summary>
/// <param name="Pods">The pods' ids, sorted: rows and columns.</param>
/// <param name="Results">The answers.</param>
/// <param name="Problems">Rules that cannot be used; the answers count with what is done instead.</param>
public sealed record Reachability(IReadOnlyList<string> Pods, IReadOnlyList<PortReachability> Results, IReadOnlyList<string> Problems)
{
    /// <summary>Asks for every pair.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="ports">The ports; none: every port that a pod declares, or 80/TCP when none does.</param>
    public static Reachability Of(VirtualCluster cluster, IReadOnlyList<PortQuestion> ports)
    {
        var asked = ports.Count > 0 ? ports.Distinct().ToList() : Declared(cluster);
        return new Reachability([.. cluster.Pods.Select(p => p.Id)], [.. asked.Select(port => new PortReachability(
            port.ToString(), [.. cluster.Pods.Select(from => cluster.Pods.Select(to => cluster.Send(from, to, port).Delivered).ToArray())]))], cluster.Problems);
    }

    /// <summary><c>{"pods":[...],"results":[{"port":"80/TCP","allowed":[[true,...],...]}]}</c>, a row for each source; and <c>"problems":[...]</c> when there are some.</summary>
    public JsonObject ToJson()
    {
        var answer = new JsonObject
        {
            ["pods"] = new JsonArray([.. Pods.Select(p => JsonValue.Create(p))]),
            ["results"] = new JsonArray([.. Results.Select(r => new JsonObject
            {
                ["port"] = r.Port,
                ["allowed"] = new JsonArray([.. r.Allowed.Select(row => new JsonArray([.. row.Select(a => JsonValue.Create(a))]))]),
            })]),
        };
        if (Problems.Count > 0)
        {
            answer["problems"] = new JsonArray([.. Problems.Select(p => JsonValue.Create(p))]);
        }

        return answer;
    }

    /// <summary>A matrix for each port: a row for each source, <c>.</c> allowed, <c>X</c> denied.</summary>
    public void Print(TextWriter output)
    {
        var width = Pods.Select(p => p.Length).DefaultIfEmpty(0).Max();
        var digits = Pods.Count.ToString(System.Globalization.CultureInfo.InvariantCulture).Length;
        foreach (var result in Results)
        {
            output.WriteLine($"{result.Port}: from row to column, . allowed, X denied");
            output.WriteLine(new string(' ', digits + 2 + width) + string.Concat(Enumerable.Range(1, Pods.Count).Select(n => " " + n.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(digits))));
            for (var i = 0; i < Pods.Count; i++)
            {
                var cells = result.Allowed[i].Select(a => " " + (a ? "." : "X").PadLeft(digits));
                output.WriteLine($"{(i + 1).ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(digits)}  {Pods[i].PadRight(width)}{string.Concat(cells)}");
            }

            output.WriteLine();
        }
    }

    private static List<PortQuestion> Declared(VirtualCluster cluster)
    {
        var found = cluster.Pods
            .SelectMany(p => (p.Manifest.Spec?.Containers ?? []).Concat(p.Manifest.Spec?.InitContainers?.Where(c => c.RestartPolicy == "Always") ?? []))
            .SelectMany(c => c.Ports ?? [])
            .Where(p => p.ContainerPort is > 0 and < 65536)
            .Select(p => PortQuestion.Parse($"{p.ContainerPort}/{p.Protocol ?? "TCP"}"))
            .Distinct().Order().ToList();
        return found.Count > 0 ? found : [PortQuestion.Parse("80/TCP")];
    }
}

/// <summary>The answers for one port.</summary>
/// <param name="Port"><c>80/TCP</c>.</param>
/// <param name="Allowed">A row for each source, a column for each destination.</param>
public sealed record PortReachability(string Port, IReadOnlyList<bool[]> Allowed);
