using System.Diagnostics;
using System.Text.Json;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>Many objects: 10,000 pods by default, 100,000 with WEFT_TEST_FULL=1.</summary>
public sealed class ScaleTests
{
    private static readonly int Count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 100_000 : 10_000;

    [Test]
    public async Task Many_pods_are_created_listed_in_pages_and_watched()
    {
        await using var server = await TestServer.StartAsync(o => o with { DisabledControllers = [.. ControllerNames.All] });
        const string path = "/api/v1/namespaces/default/pods";
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clock = Stopwatch.StartNew();
        await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            var answer = await server.PostAsync(path, TestServer.Pod($"p{i}", $",\"nodeName\":\"n{i % 1000}\""));
            if (answer.Code != 201)
            {
                Assert.Fail(answer.Body.ToJsonString());
            }
        });
        var created = clock.Elapsed;
        var memory = GC.GetTotalMemory(forceFullCollection: true) - before;
        clock.Restart();
        Assert.That(await CountAsync(server, path), Is.EqualTo(Count));
        var listed = clock.Elapsed;
        var seen = 0;
        string? token = null;
        do
        {
            var page = await server.GetAsync($"{path}?limit=5000{(token is null ? "" : "&continue=" + token)}");
            seen += page.Names.Count();
            token = page.Body.Text("metadata", "continue");
        }
        while (token is not null);
        Assert.That(seen, Is.EqualTo(Count));
        Assert.That((await server.GetAsync($"{path}?fieldSelector=spec.nodeName%3Dn7")).Names.Count(), Is.EqualTo(Count / 1000));
        await TestContext.Out.WriteLineAsync($"{Count} pods: created in {created.TotalSeconds:0.0} s, listed in {listed.TotalSeconds:0.00} s, {memory / Count} bytes each");
        Assert.That(memory / Count, Is.LessThan(8_000), "bytes per pod, with its place in the history");
    }

    /// <summary>Counts items without keeping them.</summary>
    private static async Task<int> CountAsync(TestServer server, string path)
    {
        await using var stream = await server.Http.GetStreamAsync(path);
        using var list = await JsonDocument.ParseAsync(stream);
        return list.RootElement.GetProperty("items").GetArrayLength();
    }
}
