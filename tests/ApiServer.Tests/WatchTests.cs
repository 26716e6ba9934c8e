using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

public sealed class WatchTests
{
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    private TestServer _server = null!;

    [SetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync(o => o with
    {
        DisabledControllers = [ControllerNames.Namespace],
        BookmarkInterval = TimeSpan.FromMilliseconds(100),
        WatchHistory = 100,
    });

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task A_watch_without_revision_starts_with_what_is_there()
    {
        await CreateAsync("a");
        using var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("ADDED a"));
        await CreateAsync("b");
        await _server.DeleteAsync($"{ConfigMaps}/a");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("ADDED b"));
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("DELETED a"));
    }

    [Test]
    public async Task A_watch_resumes_after_its_revision()
    {
        var first = await CreateAsync("a");
        await CreateAsync("b");
        using var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true&resourceVersion={first.Text("metadata", "resourceVersion")}");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("ADDED b"));
    }

    [Test]
    public async Task SendInitialEvents_ends_with_a_marked_bookmark()
    {
        await CreateAsync("a");
        using var watch = await WatchClient.OpenAsync(_server,
            $"{ConfigMaps}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("ADDED a"));
        var (type, mark) = (await watch.NextAsync())!.Value;
        Assert.That(type, Is.EqualTo("BOOKMARK"));
        Assert.That(mark.At("metadata", "annotations").Text("k8s.io/initial-events-end"), Is.EqualTo("true"));
    }

    [Test]
    public async Task A_quiet_watch_gets_bookmarks_that_move_with_other_resources()
    {
        var first = await CreateAsync("a");
        using var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true&allowWatchBookmarks=true&resourceVersion={first.Text("metadata", "resourceVersion")}");
        var secret = await _server.CreateAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"s"}}""");
        var wanted = long.Parse(secret.Text("metadata", "resourceVersion")!, System.Globalization.CultureInfo.InvariantCulture);
        long seen = 0;
        while (seen < wanted)
        {
            var (type, mark) = (await watch.NextAsync())!.Value;
            Assert.That(type, Is.EqualTo("BOOKMARK"));
            seen = long.Parse(mark.Text("metadata", "resourceVersion")!, System.Globalization.CultureInfo.InvariantCulture);
        }

        Assert.That(seen, Is.GreaterThanOrEqualTo(wanted));
    }

    [Test]
    public async Task Objects_that_enter_or_leave_a_selection_are_added_and_deleted()
    {
        using var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true&labelSelector=app%3Dweb");
        await CreateAsync("a");
        await _server.PatchAsync($"{ConfigMaps}/a", "merge", """{"metadata":{"labels":{"app":"web"}}}""");
        await _server.PatchAsync($"{ConfigMaps}/a", "merge", """{"data":{"k":"v"}}""");
        await _server.PatchAsync($"{ConfigMaps}/a", "merge", """{"metadata":{"labels":{"app":"db"}}}""");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("ADDED a"));
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("MODIFIED a"));
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("DELETED a"));
    }

    [Test]
    public async Task A_revision_older_than_the_history_is_answered_with_410()
    {
        var first = await CreateAsync("a");
        for (var i = 0; i < 150; i++)
        {
            await _server.PatchAsync($"{ConfigMaps}/a", "merge", $$"""{"data":{"k":"{{i}}"} }""");
        }

        using var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true&resourceVersion={first.Text("metadata", "resourceVersion")}");
        var (type, status) = (await watch.NextAsync())!.Value;
        Assert.That((type, status.Integer("code"), status.Text("reason")), Is.EqualTo(("ERROR", 410L, "Expired")));
        Assert.That(await watch.NextAsync(), Is.Null, "the watch ends after the error");
    }

    [Test]
    public async Task A_watcher_that_does_not_read_stops_nobody()
    {
        using var slow = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true");
        using var quick = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true");
        var large = new string('x', 100_000);
        for (var i = 0; i < 60; i++)
        {
            await _server.CreateAsync(ConfigMaps, $$"""{"metadata":{"name":"n{{i}}"},"data":{"k":"{{large}}"} }""");
            Assert.That(await quick.NextLineAsync(), Is.EqualTo($"ADDED n{i}"));
        }
    }

    [Test]
    public async Task Ordered_faults_close_watches_forget_history_and_fail_requests()
    {
        var first = await CreateAsync("a");
        using (var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true"))
        {
            await watch.NextLineAsync();
            await _server.PostAsync("/private/faults/close-watches", "");
            Assert.That(await watch.NextLineAsync(), Is.EqualTo("end"));
        }

        await CreateAsync("b");
        await _server.PostAsync("/private/faults/compact", "");
        using (var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true&resourceVersion={first.Text("metadata", "resourceVersion")}"))
        {
            Assert.That((await watch.NextAsync())!.Value.Type, Is.EqualTo("ERROR"));
        }

        await _server.PostAsync($"/private/faults/fail?code=429&count=2&retryAfter=3&path={ConfigMaps}", "");
        using var refused = await _server.Http.GetAsync(ConfigMaps);
        Assert.That((int)refused.StatusCode, Is.EqualTo(429));
        Assert.That(refused.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(3)));
        Assert.That((await _server.GetAsync("/api/v1/namespaces")).Code, Is.EqualTo(200), "other paths go on");
        Assert.That((await _server.GetAsync(ConfigMaps)).Code, Is.EqualTo(429));
        Assert.That((await _server.GetAsync(ConfigMaps)).Code, Is.EqualTo(200), "the order was for two");
    }

    [Test]
    public async Task Table_watches_carry_rows()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{ConfigMaps}?watch=true");
        request.Headers.TryAddWithoutValidation("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
        using var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await CreateAsync("a");
        var seen = JsonNode.Parse((await reader.ReadLineAsync())!);
        Assert.That(seen.At("object", "rows").Objects().First()["cells"]![0]!.GetValue<string>(), Is.EqualTo("a"));
    }

    [Test]
    public async Task A_stopped_server_ends_its_watches()
    {
        using var watch = await WatchClient.OpenAsync(_server, $"{ConfigMaps}?watch=true");
        var stopping = _server.Host.DisposeAsync().AsTask();
        Assert.That(await watch.NextAsync(), Is.Null);
        await stopping;
        _server = await TestServer.StartAsync();
    }

    private Task<JsonObject> CreateAsync(string name) => _server.CreateAsync(ConfigMaps, $$"""{"metadata":{"name":"{{name}}"} }""");
}
