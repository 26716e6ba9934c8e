using System.Diagnostics;
using System.Globalization;

namespace Weft.Bench.PolicyBench;

/// <summary><c>weftctl policy check --each</c>: 1,000 clusters of ten pods in one process, the start of the process included.</summary>
internal static class PolicyCheck
{
    private const int Cases = 1000;
    private const int Pods = 10;
    private static readonly string[] Spaces = ["x", "y", "z"];

    public static async Task RunAsync()
    {
        var root = Directory.CreateTempSubdirectory("weft-check-").FullName;
        try
        {
            var random = new Random(7);
            var command = new List<string> { Path.Combine(AppContext.BaseDirectory, "weftctl.dll"), "policy", "check", "--each" };
            for (var i = 0; i < Cases; i++)
            {
                var folder = Directory.CreateDirectory(Path.Combine(root, i.ToString(CultureInfo.InvariantCulture))).FullName;
                await File.WriteAllTextAsync(Path.Combine(folder, "all.yaml"), Case(random));
                command.AddRange(["-f", folder]);
            }

            var clock = Stopwatch.GetTimestamp();
            using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, command) { RedirectStandardOutput = true })!;
            var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            await process.WaitForExitAsync();
            if (process.ExitCode != 0 || lines.Length != Cases)
            {
                throw new InvalidOperationException($"weftctl ended with {process.ExitCode} after {lines.Length} answers");
            }

            new Figure("policy.check_1000_cases_of_10_pods", Stopwatch.GetElapsedTime(clock).TotalSeconds, 60, "s").Print();
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Ten pods with two ports each in three namespaces, and one to five policies.</summary>
    private static string Case(Random random)
    {
        var documents = Spaces.Select(s => $$$"""{apiVersion: v1, kind: Namespace, metadata: {name: {{{s}}}, labels: {ns: {{{s}}} } } }""").ToList();
        documents.AddRange(Enumerable.Range(0, Pods).Select(i => $$$"""
            {apiVersion: v1, kind: Pod, metadata: {name: p{{{i}}}, namespace: {{{Spaces[i % 3]}}}, labels: {app: a{{{i % 4}}}, tier: t{{{i % 2}}} } },
             spec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: web}, {containerPort: 53, protocol: UDP}]}]}}
            """));
        documents.AddRange(Enumerable.Range(0, random.Next(1, 6)).Select(i =>
        {
            var peers = string.Join(", ", Enumerable.Range(0, random.Next(1, 4)).Select(_ => Peer(random)));
            return $$$"""
                {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: n{{{i}}}, namespace: {{{Spaces[random.Next(3)]}}} },
                 spec: {podSelector: {matchLabels: {tier: t{{{random.Next(2)}}} } }, policyTypes: [{{{(random.Next(2) == 0 ? "Ingress" : "Ingress, Egress")}}}],
                  ingress: [{from: [{{{peers}}}], ports: [{port: {{{(random.Next(2) == 0 ? "80" : "web")}}} }]}], egress: [{to: [{{{peers}}}]}]}}
                """;
        }));
        return string.Join("\n---\n", documents);
    }

    private static string Peer(Random random) => random.Next(3) switch
    {
        0 => $$$"""{podSelector: {matchLabels: {app: a{{{random.Next(4)}}} } } }""",
        1 => $$$"""{namespaceSelector: {matchLabels: {ns: {{{Spaces[random.Next(3)]}}} } } }""",
        _ => "{ipBlock: {cidr: 10.244.0.0/29, except: [10.244.0.2/32]}}",
    };
}
