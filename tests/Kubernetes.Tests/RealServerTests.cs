using System.Text;
using Weft.Lab.ApiServer;
using Weft.TestSupport;

namespace Weft.Kubernetes.Tests;

/// <summary>Everything that the client can do, against an API server that means what it says.</summary>
public sealed class RealServerTests
{
    private LabApi _api = null!;

    [OneTimeSetUp]
    public async Task Start() => _api = await LabApi.StartAsync(o => o with { Authorization = AuthorizationMode.RBAC });

    [OneTimeTearDown]
    public async Task Stop() => await _api.DisposeAsync();

    [Test]
    public async Task Server_side_apply_makes_and_changes_an_object()
    {
        await _api.ApplyAsync(Resources.ConfigMaps, "default", "applied", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"},"data":{"a":"1","b":"2"}}""");
        var changed = await _api.ApplyAsync(Resources.ConfigMaps, "default", "applied", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"applied"},"data":{"a":"3"}}""");
        Assert.That(changed.Data, Is.EquivalentTo(new Dictionary<string, string> { ["a"] = "3" }), "what was ours and is not named any more is gone");
    }

    [Test]
    public async Task A_merge_patch_replaces_and_removes_and_a_JSON_patch_tests_before_it_writes()
    {
        await MapAsync("patched", ("a", "1"), ("b", "2"));
        var merged = await PatchAsync("patched", PatchKind.Merge, """{"data":{"a":null,"c":"3"}}""");
        Assert.That(merged.Data, Is.EquivalentTo(new Dictionary<string, string> { ["b"] = "2", ["c"] = "3" }));
        var edited = await PatchAsync("patched", PatchKind.Json, """[{"op":"test","path":"/data/b","value":"2"},{"op":"replace","path":"/data/b","value":"4"}]""");
        Assert.That(edited.Data!["b"], Is.EqualTo("4"));
        Assert.That(() => PatchAsync("patched", PatchKind.Json, """[{"op":"test","path":"/data/b","value":"2"}]"""), Throws.InstanceOf<KubernetesException>());
    }

    [Test]
    public async Task A_strategic_merge_of_a_status_leaves_the_conditions_of_others()
    {
        await _api.ApplyAsync(Resources.Nodes, null, "n1", """{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}""");
        async Task<V1Node> Condition(string type) => await _api.Client.PatchAsync(Resources.Nodes, null, "n1", "status", PatchKind.StrategicMerge,
            Encoding.UTF8.GetBytes($$"""{"status":{"conditions":[{"type":"{{type}}","status":"True"}]} }"""), default);
        await Condition("Ready");
        var node = await Condition("NetworkUnavailable");
        Assert.That(node.Status!.Conditions!.Select(c => c.Type), Is.EquivalentTo(new[] { "Ready", "NetworkUnavailable" }));
    }

    [Test]
    public async Task Lists_come_in_pages_and_are_narrowed_by_labels()
    {
        await _api.CreateNamespaceAsync("many");
        for (var i = 0; i < Reflector<V1ConfigMap>.PageSize + 3; i++)
        {
            await _api.Client.CreateAsync(Resources.ConfigMaps, "many", new V1ConfigMap
            {
                Metadata = new V1ObjectMeta { Name = $"m{i}", Labels = new() { ["odd"] = $"{i % 2}" } },
            }, default);
        }

        Assert.That(await _api.Client.ListAsync(Resources.ConfigMaps, "many", "odd", default), Has.Count.EqualTo(Reflector<V1ConfigMap>.PageSize + 3));
        Assert.That(await _api.Client.ListAsync(Resources.ConfigMaps, "many", "odd=1", default), Has.Count.EqualTo((Reflector<V1ConfigMap>.PageSize + 3) / 2));
    }

    [Test]
    public async Task A_write_to_an_old_version_is_a_conflict_and_nothing_is_written()
    {
        var first = await MapAsync("versions", ("a", "1"));
        await PatchAsync("versions", PatchKind.Merge, """{"data":{"a":"2"}}""");
        first.Data!["a"] = "3";
        var refused = Assert.ThrowsAsync<KubernetesException>(() => _api.Client.ReplaceAsync(Resources.ConfigMaps, "default", first, default));
        Assert.That(refused!.StatusCode, Is.EqualTo(System.Net.HttpStatusCode.Conflict));
        Assert.That((await _api.Client.ReadAsync(Resources.ConfigMaps, "default", "versions", default))!.Data!["a"], Is.EqualTo("2"));
    }

    [Test]
    public async Task Reviews_say_who_somebody_is_and_what_he_may_do()
    {
        async Task<bool> May(string user, string group) => (await _api.Client.CreateAsync(Resources.SubjectAccessReviews, null, new V1SubjectAccessReview
        {
            Spec = new V1SubjectAccessReviewSpec { User = user, Groups = [group], ResourceAttributes = new V1ResourceAttributes { Resource = "pods", Verb = "list" } },
        }, default)).Status!.Allowed;
        Assert.That(await May("admin", "system:masters"), Is.True);
        Assert.That(await May("nobody", "nothing"), Is.False);

        var review = await _api.Client.CreateAsync(Resources.TokenReviews, null, new V1TokenReview { Spec = new V1TokenReviewSpec { Token = "nonsense" } }, default);
        Assert.That(review.Status!.Authenticated, Is.Not.True);
    }

    [Test]
    public async Task An_event_is_named_by_the_server()
    {
        var told = await _api.Client.CreateAsync(Resources.Events, "default", new Corev1Event
        {
            Metadata = new V1ObjectMeta { GenerateName = "web.", NamespaceProperty = "default" },
            InvolvedObject = new V1ObjectReference { Kind = "Pod", Name = "web", NamespaceProperty = "default" },
            Type = "Warning", Reason = "Test", Message = "a message", Source = new V1EventSource { Component = "test" }, Count = 1,
        }, default);
        Assert.That(told.Metadata.Name, Does.StartWith("web.").And.Length.GreaterThan(4));
    }

    [Test]
    public async Task Of_two_candidates_one_leads_and_the_other_when_it_is_given_up()
    {
        var options = new LeaderElectionOptions("default", "test", "one");
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var (one, two) = (0, 0);
        var running = Run(options, () => Interlocked.Increment(ref one), first.Token);
        await Eventually.True("the first to lead", () => Volatile.Read(ref one) == 1);
        var waiting = Run(options with { Identity = "two" }, () => Interlocked.Increment(ref two), second.Token);
        Assert.That(Volatile.Read(ref two), Is.Zero);
        await first.CancelAsync();
        await running;
        await Eventually.True("the second to lead", () => Volatile.Read(ref two) == 1);
        await second.CancelAsync();
        await waiting;
    }

    private Task Run(LeaderElectionOptions options, Action lead, CancellationToken ct) => new LeaderElector(_api.Client, options, TimeProvider.System).RunAsync(term =>
    {
        lead();
        return Task.Delay(Timeout.Infinite, term);
    }, ct);

    private Task<V1ConfigMap> MapAsync(string name, params (string Key, string Value)[] data) => _api.Client.CreateAsync(Resources.ConfigMaps, "default", new V1ConfigMap
    {
        Metadata = new V1ObjectMeta { Name = name },
        Data = data.ToDictionary(d => d.Key, d => d.Value),
    }, default);

    private Task<V1ConfigMap> PatchAsync(string name, PatchKind kind, string patch) =>
        _api.Client.PatchAsync(Resources.ConfigMaps, "default", name, null, kind, Encoding.UTF8.GetBytes(patch), default);
}
