using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Weft.Ctl.Output;

/// <summary>Writes results to standard output.</summary>
public static class Printer
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a value as JSON or YAML.</summary>
    public static void Write(JsonNode value, OutputFormat format)
    {
        if (format == OutputFormat.Json)
        {
            Console.Out.WriteLine(value.ToJsonString(Indented));
            return;
        }

        var serializer = new SerializerBuilder().WithIndentedSequences().WithEventEmitter(next => new QuotingEmitter(next)).Build();
        Console.Out.Write(serializer.Serialize(Plain(value) ?? ""));
    }

    /// <summary>Writes columns without lines between them, as kubectl does: easy to read, easy to cut.</summary>
    public static void WriteColumns(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = rows.Prepend(headings.Select(h => h.ToUpperInvariant()).ToList()).ToList();
        var widths = headings.Select((_, i) => lines.Max(l => l[i].Length)).ToList();
        foreach (var line in lines)
        {
            Console.Out.WriteLine(string.Concat(line.Select((cell, i) => i == line.Count - 1 ? cell : cell.PadRight(widths[i] + 3))).TrimEnd());
        }
    }

    /// <summary>Writes a line, with Spectre's markup where the terminal shows it.</summary>
    public static void Line(string markup) => AnsiConsole.MarkupLine(markup);

    private static object? Plain(JsonNode? node) => node switch
    {
        JsonObject map => map.ToDictionary(p => p.Key, p => Plain(p.Value)),
        JsonArray list => list.Select(Plain).ToList(),
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => decimal.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>Texts that YAML would read as something else are quoted.</summary>
    private sealed class QuotingEmitter(IEventEmitter next) : YamlDotNet.Serialization.EventEmitters.ChainedEventEmitter(next)
    {
        public override void Emit(ScalarEventInfo eventInfo, IEmitter emitter)
        {
            if (eventInfo.Source.Value is string text && (text.Length == 0 || text is "true" or "false" or "null" or "~" || decimal.TryParse(text, out _)))
            {
                eventInfo = new ScalarEventInfo(eventInfo.Source) { Style = ScalarStyle.DoubleQuoted };
            }

            base.Emit(eventInfo, emitter);
        }
    }
}
