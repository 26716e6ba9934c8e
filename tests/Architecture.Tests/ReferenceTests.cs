using System.Xml.Linq;

namespace Weft.Architecture.Tests;

/// <summary>References go one way, in the order of the data flow (docs/design/data-flow.md).</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["OvsdbClient"] = [],
        ["OpenFlow"] = [],
        ["Kubernetes"] = [],
        ["Topology"] = [],
        ["Incremental"] = [],
        ["Telemetry"] = [],
        ["Controller"] = ["Kubernetes", "Topology", "Incremental", "Telemetry"],
        ["Agent"] = ["OvsdbClient", "OpenFlow", "Topology", "Incremental", "Telemetry"],
        ["Cni"] = [],
        ["Ctl"] = ["OvsdbClient", "OpenFlow", "Kubernetes", "Topology", "Controller", "Agent"],
        ["Lab"] = ["Kubernetes"],
    };

    [Test]
    public void Every_project_references_only_what_the_data_flow_allows()
    {
        var wrong = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!Allowed.TryGetValue(name, out var allowed))
            {
                wrong.Add($"{name} is not in the list of projects: say in ReferenceTests what it may reference");
                continue;
            }

            wrong.AddRange(XDocument.Load(file).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')))
                .Where(target => !allowed.Contains(target))
                .Select(target => $"{name} -> {target}"));
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void The_libraries_contain_no_Kubernetes_word()
    {
        string[] words = ["Kubernetes", "kubelet", "NetworkPolicy", "Namespace/"];
        var found = new[] { "OvsdbClient", "OpenFlow" }
            .SelectMany(d => Directory.EnumerateFiles(Path.Combine(Root, "src", d), "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal))
            .Where(f => words.Any(w => File.ReadAllText(f).Contains(w, StringComparison.OrdinalIgnoreCase)));
        Assert.That(found, Is.Empty);
    }

    private static string Root
    {
        get
        {
            var dir = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
            while (dir is not null && !File.Exists(Path.Combine(dir.FullName, "Ovs.sln")))
            {
                dir = dir.Parent;
            }

            return dir?.FullName ?? throw new InvalidOperationException("Ovs.sln is not above the test's folder");
        }
    }
}
