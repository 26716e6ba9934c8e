using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Weft.TestSupport;

namespace Weft.Kubernetes.Tests;

/// <summary>A reflector against a scripted API server with faults.</summary>
public sealed class ReflectorTests
{
    private const string Pods = "/api/v1/pods";
    private FakeApiServer _api = null!;
    private KubernetesClient _client = null!;
    private CancellationTokenSource _stop = null!;
    private Channel<ResourceEvent<V1Pod>> _steps = null!;
    private readonly List<KubernetesException> _failures = [];
    private Task _running = Task.CompletedTask;

    [SetUp]
    public async Task Start()
    {
        _api = await FakeApiServer.StartAsync();
        _client = new KubernetesClient(new ClusterConnection { Server = _api.Url });
        _stop = new CancellationTokenSource();
        _steps = Channel.CreateUnbounded<ResourceEvent<V1Pod>>();
        _failures.Clear();
    }

    [TearDown]
    public async Task Stop()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _client.Dispose();
        await _api.DisposeAsync();
        _stop.Dispose();
    }

    [Test]
    public async Task Lists_in_pages_then_says_synced_then_watches()
    {
        for (var i = 0; i < Reflector<V1Pod>.PageSize + 7; i++)
        {
            _api.Put(Pods, Pod("a", $"p{i}"));
        }

        Run();
        var listed = await ReadUntil(ResourceEventType.Synced);
        Assert.That(listed.Where(s => s.Type == ResourceEventType.Upsert).Select(s => s.Key).Distinct().Count(), Is.EqualTo(Reflector<V1Pod>.PageSize + 7));
        Assert.That(_api.Requests.Count(r => r.Contains("limit=", StringComparison.Ordinal)), Is.EqualTo(2));
        _api.Put(Pods, Pod("a", "late"));
        _api.Delete(Pods, "a", "p1");
        var (added, deleted) = (await Read(), await Read());
        Assert.That((added.Type, added.Key.Name, deleted.Type, deleted.Key.Name), Is.EqualTo((ResourceEventType.Upsert, "late", ResourceEventType.Delete, "p1")));
    }

    [Test]
    public async Task A_closed_watch_resumes_where_it_stopped_without_a_list()
    {
        _api.Put(Pods, Pod("a", "p"));
        Run();
        await ReadUntil(ResourceEventType.Synced);
        _api.Put(Pods, Pod("a", "q"));
        Assert.That((await Read()).Key.Name, Is.EqualTo("q"));
        _api.EndWatches();
        _api.Put(Pods, Pod("a", "r"));
        Assert.That((await Read()).Key.Name, Is.EqualTo("r"));
        Assert.That(_api.Requests.Count(r => r.Contains("limit=", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task After_a_gap_only_the_difference_is_told_and_nothing_that_stayed_is_deleted()
    {
        _api.Put(Pods, Pod("a", "stays"));
        _api.Put(Pods, Pod("a", "goes"));
        Run();
        await ReadUntil(ResourceEventType.Synced);
        _api.Intercept = Once("watch=true", http => FakeApiServer.FailAsync(http, 410, "Expired", "too old"));
        _api.EndWatches();
        _api.Delete(Pods, "a", "goes");
        _api.Put(Pods, Pod("a", "comes"));
        _api.Compact();
        var steps = new[] { await Read(), await Read() };
        Assert.That(steps.Select(s => (s.Type, s.Key.Name)), Is.EqualTo(new[] { (ResourceEventType.Upsert, "comes"), (ResourceEventType.Delete, "goes") }));
    }

    [Test]
    public async Task A_410_inside_the_watch_leads_to_a_list()
    {
        _api.Put(Pods, Pod("a", "p"));
        Run();
        await ReadUntil(ResourceEventType.Synced);
        _api.SendRaw(Pods, """{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}}""");
        await Eventually.True("a second list", () => _api.Requests.Count(r => r.Contains("limit=", StringComparison.Ordinal)) == 2);
        Assert.That(_failures[0].IsExpired, Is.True);
    }

    [Test]
    public async Task A_list_that_breaks_in_the_middle_deletes_nothing()
    {
        _api.Put(Pods, Pod("a", "p"));
        Run();
        await ReadUntil(ResourceEventType.Synced);
        _api.Intercept = Once("limit=", async http =>
        {
            http.Response.ContentType = "application/json";
            await http.Response.WriteAsync("""{"metadata":{"resourceVersion":"9"},"items":[""");
            await http.Response.Body.FlushAsync();
            http.Abort();
        });
        _api.SendRaw(Pods, """{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}""");
        await Eventually.True("the list after the broken one", () => _api.Requests.Count(r => r.Contains("limit=", StringComparison.Ordinal)) == 3);
        _api.Put(Pods, Pod("a", "q"));
        Assert.That((await Read()).Key.Name, Is.EqualTo("q"), "no deletion came before");
    }

    [Test]
    public async Task An_answer_that_asks_to_wait_is_obeyed()
    {
        _api.Intercept = Once("limit=", http =>
        {
            http.Response.Headers.RetryAfter = "1";
            return FakeApiServer.FailAsync(http, 429, "TooManyRequests", "slow down");
        });
        var clock = Stopwatch.StartNew();
        Run();
        await ReadUntil(ResourceEventType.Synced);
        Assert.That(clock.Elapsed, Is.GreaterThan(TimeSpan.FromSeconds(0.95)));
        Assert.That(_failures.Single().RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task Errors_of_the_server_are_told_and_tried_again()
    {
        var left = 3;
        _api.Intercept = async http =>
        {
            if (Interlocked.Decrement(ref left) < 0)
            {
                return false;
            }

            http.Response.StatusCode = 500;
            await http.Response.WriteAsync("<html>proxy error</html>");
            return true;
        };
        Run();
        await ReadUntil(ResourceEventType.Synced);
        Assert.That(_failures, Has.Count.EqualTo(3));
        Assert.That(_failures[0].Message, Does.Contain("500").And.Contain("proxy error"));
    }

    [Test]
    public async Task An_object_that_cannot_be_read_is_told_with_its_name_and_the_others_go_on()
    {
        _api.Put(Pods, """{"metadata":{"namespace":"a","name":"odd","labels":7}}""");
        _api.Put(Pods, Pod("a", "p"));
        Run();
        var listed = await ReadUntil(ResourceEventType.Synced);
        var odd = listed.Single(s => s.Type == ResourceEventType.Unreadable);
        Assert.That((odd.Key, odd.Problem), Is.EqualTo((new ObjectKey("a", "odd"), odd.Problem)));
        Assert.That(odd.Problem, Does.Contain("labels"));
        _api.SendRaw(Pods, """{"type":"MODIFIED","object":{"metadata":{"namespace":"a","name":"p","resourceVersion":"99"},"spec":"none"}}""");
        Assert.That((await Read()).Type, Is.EqualTo(ResourceEventType.Unreadable));
        _api.Put(Pods, Pod("a", "q"));
        Assert.That((await Read()).Key.Name, Is.EqualTo("q"));
    }

    [Test]
    public async Task A_line_that_is_no_JSON_ends_the_watch_and_a_list_passes_it_by()
    {
        Run();
        await ReadUntil(ResourceEventType.Synced);
        _api.SendRaw(Pods, "garbage");
        await Eventually.True("the failure", () => _failures.Count > 0);
        _api.Put(Pods, Pod("a", "q"));
        await Eventually.True("the pod", () => _steps.Reader.TryRead(out var step) && step.Key.Name == "q");
    }

    [Test]
    public async Task Objects_of_a_megabyte_are_read()
    {
        var padding = new string('x', 1_000_000);
        _api.Put(Pods, $$"""{"metadata":{"namespace":"a","name":"big","annotations":{"a":"{{padding}}"} } }""");
        Run();
        Assert.That((await Read()).Key.Name, Is.EqualTo("big"));
        Assert.That((await Read()).Type, Is.EqualTo(ResourceEventType.Synced));
        _api.Put(Pods, $$"""{"metadata":{"namespace":"a","name":"big2","annotations":{"a":"{{padding}}"} } }""");
        Assert.That((await Read()).Key.Name, Is.EqualTo("big2"));
    }

    [Test]
    public async Task Bookmarks_move_the_place_from_which_a_watch_resumes()
    {
        Run();
        await ReadUntil(ResourceEventType.Synced);
        _api.SendRaw(Pods, """{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"4711"} } }""");
        _api.EndWatches();
        await Eventually.True("a watch from the bookmark", () =>
        {
            _api.EndWatches();
            return _api.Requests.Any(r => r.Contains("resourceVersion=4711", StringComparison.Ordinal));
        });
        Assert.That(_steps.Reader.TryRead(out _), Is.False, "a bookmark is no step");
    }

    private static string Pod(string ns, string name) => $$"""{"metadata":{"namespace":"{{ns}}","name":"{{name}}"},"spec":{"nodeName":"n"} }""";

    private static Func<HttpContext, Task<bool>> Once(string part, Func<HttpContext, Task> answer)
    {
        var left = 1;
        return async http =>
        {
            if (!http.Request.QueryString.Value!.Contains(part, StringComparison.Ordinal) || Interlocked.Decrement(ref left) < 0)
            {
                return false;
            }

            await answer(http);
            return true;
        };
    }

    private void Run()
    {
        var reflector = new Reflector<V1Pod>(_client, Resources.Pods, TimeProvider.System, (e, _) => _failures.Add(e));
        _running = Task.Run(async () =>
        {
            await foreach (var step in reflector.RunAsync(_stop.Token))
            {
                _steps.Writer.TryWrite(step);
            }
        });
    }

    private async Task<ResourceEvent<V1Pod>> Read()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        return await _steps.Reader.ReadAsync(limit.Token);
    }

    private async Task<List<ResourceEvent<V1Pod>>> ReadUntil(ResourceEventType type)
    {
        var steps = new List<ResourceEvent<V1Pod>>();
        do
        {
            steps.Add(await Read());
        }
        while (steps[^1].Type != type);
        return steps;
    }
}
