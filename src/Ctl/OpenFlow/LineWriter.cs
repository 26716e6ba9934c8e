using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weft.Ctl.OpenFlow;

/// <summary>One answer per line of input, in order: text, or a JSON object with "text" or "error".</summary>
internal sealed class LineWriter(TextWriter output, TextWriter errors, bool json)
{
    /// <summary>True when some line had an error.</summary>
    public bool Failed { get; private set; }

    public void Answer(string text)
    {
        output.WriteLine(json ? JsonSerializer.Serialize(new LineAnswer { Text = text }, LineJson.Default.LineAnswer) : text);
    }

    public void Error(string error)
    {
        Failed = true;
        if (json)
        {
            output.WriteLine(JsonSerializer.Serialize(new LineAnswer { Error = error }, LineJson.Default.LineAnswer));
        }
        else
        {
            // The line keeps its place among the answers; the reason goes to people.
            output.WriteLine();
            errors.WriteLine(error);
        }
    }
}

/// <summary>The JSON object of one line.</summary>
internal sealed record LineAnswer
{
    [JsonPropertyName("text")]
    public string? Text { get; init; }

    [JsonPropertyName("error")]
    public string? Error { get; init; }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LineAnswer))]
internal sealed partial class LineJson : JsonSerializerContext;
