using Weft.Ctl.WhatIf;
using Weft.Lab.Net;

namespace Weft.Policy.Tests;

/// <summary>What cannot be is named with its place and a remedy.</summary>
public sealed class BadManifestTests
{
    [TestCase("{a: [", "not YAML")]
    [TestCase("kind: Pod", "apiVersion is missing")]
    [TestCase("apiVersion: v1\nkind: Pod\nmetadata: {}", "metadata.name is missing")]
    [TestCase("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: 7}", "spec.hostNetwork has a value of the wrong type")]
    [TestCase("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus: {podIPs: [{ip: nonsense}]}", "status.podIPs has 'nonsense'")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Middle, priority: 1, subject: {namespaces: {}}}", "spec.tier is 'Middle'")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1001, subject: {namespaces: {}}}", "spec.priority is 1001")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1}", "spec.subject is missing")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\nmetadata: {name: p}\nspec: {subject: {namespaces: {}}}", "is named default")]
    public void Nonsense_is_named(string text, string message)
    {
        var error = Assert.Throws<ManifestException>(() =>
        {
            var manifests = new Manifests();
            manifests.Read(text, "x.yaml");
            VirtualCluster.Of(manifests);
        });
        Assert.That(error!.Message, Does.StartWith("x.yaml:").And.Contain(message));
    }

    [TestCase("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}]}", "spec.ingress[0].ports[0]: port 90 to 80 must be an ascending range")]
    [TestCase("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [{ports: [{port: 90, protocol: ICMP}]}]}", "must be TCP, UDP or SCTP")]
    [TestCase("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]}", "spec.ingress[0].from[0].ipBlock.cidr is '10.0.0.0'")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Drop, from: [{namespaces: {}}]}]}", "spec.ingress[0].action is 'Drop'")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny}]}", "spec.ingress[0].from is missing")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{domainNames: [a.b]}]}]}", "only Accept rules can name domains")]
    [TestCase("apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: p}\nspec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: web}]}]}", "give numbers, or split the rule")]
    [TestCase("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, ingress: [{ports: [{endPort: 80}]}]}", "endPort is 80 without a number in port")]
    [TestCase("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}, policyTypes: [Inside]}", "spec.policyTypes has 'Inside'")]
    public void A_rule_that_cannot_be_used_is_named_and_opens_nothing(string text, string message)
    {
        var manifests = new Manifests();
        manifests.Read(text + "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: b}", "x.yaml");
        var cluster = VirtualCluster.Of(manifests);
        Assert.That(cluster.Problems, Has.Exactly(1).StartsWith("x.yaml:1: ").And.Exactly(1).Contains(message));
        if (!text.Contains("egress", StringComparison.Ordinal))
        {
            Assert.That(cluster.Send(cluster.Pods[0], cluster.Pods[1], PortQuestion.Parse("80/TCP")).Delivered, Is.False);
        }
    }

    [Test]
    public async Task The_command_answers_with_what_is_done_instead_and_says_so()
    {
        var folder = Directory.CreateTempSubdirectory("weft-policy-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "all.yaml"), """
                {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}
                ---
                {apiVersion: v1, kind: Pod, metadata: {name: b}}
                ---
                {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}, ingress: [{ports: [{port: 90, endPort: 80}]}, {ports: [{port: 81}]}]}}
                """);
            const string open = """"port":"81/TCP","allowed":[[true,true],[true,true]]"""";
            const string closed = """"port":"80/TCP","allowed":[[true,false],[false,true]]"""";
            foreach (var each in new[] { false, true })
            {
                string[] command = [typeof(VirtualCluster).Assembly.Location, "policy", "check", "-f", folder, "--port", "80/TCP", "--port", "81", each ? "--each" : "--output=json"];
                var result = await Shell.TryRunAsync("dotnet", command, null, null, TimeSpan.FromSeconds(60), CancellationToken.None);
                Assert.That(result.ExitCode, Is.EqualTo(3));
                Assert.That(result.Output, Does.Contain(open).And.Contain(closed).And.Contain("this rule is left out").And.Contain("\"problems\":"));
                Assert.That(result.Error, each ? Is.Empty : Does.Contain("spec.ingress[0].ports[0]: port 90 to 80 must be an ascending range"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void Other_kinds_are_passed_over_and_named()
    {
        var manifests = new Manifests();
        manifests.Read("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}}]", "x.yaml");
        Assert.That(manifests.PassedOver, Is.EqualTo(new[] { "v1 Service" }));
        Assert.That(VirtualCluster.Of(manifests).Pods.Select(p => p.Id), Is.EqualTo(new[] { "default/a" }));
    }

    [Test]
    public void A_missing_folder_is_named() =>
        Assert.That(() => Manifests.Load("/nowhere"), Throws.TypeOf<ManifestException>().With.Message.Contains("/nowhere: there is no such file or folder"));

    [Test]
    public void A_pod_that_ended_has_no_network_and_its_address_may_be_another_pods()
    {
        var manifests = new Manifests();
        manifests.Read(
            """
            {apiVersion: v1, kind: Pod, metadata: {name: old}, status: {phase: Succeeded, podIPs: [{ip: 10.0.0.1}]}}
            ---
            {apiVersion: v1, kind: Pod, metadata: {name: new}, status: {phase: Running, podIPs: [{ip: 10.0.0.1}]}}
            """,
            "x.yaml");
        Assert.That(VirtualCluster.Of(manifests).Pods.Select(p => p.Id), Is.EqualTo(new[] { "default/new" }));
    }
}
