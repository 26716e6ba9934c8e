using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>Reads the events of one watch, one after another.</summary>
public sealed class WatchClient : IDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(20));

    private WatchClient(HttpResponseMessage response, StreamReader reader)
    {
        _response = response;
        _reader = reader;
    }

    public static async Task<WatchClient> OpenAsync(TestServer server, string path)
    {
        var response = await server.Http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        return new WatchClient(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event; null when the server ended the watch.</summary>
    public async Task<(string Type, JsonObject Object)?> NextAsync()
    {
        var line = await _reader.ReadLineAsync(_limit.Token);
        return line is null ? null : (JsonNode.Parse(line).Text("type")!, JsonNode.Parse(line)!["object"]!.AsObject());
    }

    /// <summary>"ADDED a", or "end".</summary>
    public async Task<string> NextLineAsync()
    {
        var next = await NextAsync();
        return next is null ? "end" : $"{next.Value.Type} {next.Value.Object.Text("metadata", "name")}";
    }

    public void Dispose()
    {
        _limit.Dispose();
        _reader.Dispose();
        _response.Dispose();
    }
}
