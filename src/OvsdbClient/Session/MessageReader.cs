using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Weft.Ovsdb;

/// <summary>Reads JSON-RPC messages (RFC 7047 section 4) and gives each part to whom it belongs, without building a document.</summary>
/// <remarks>ovsdb-server writes <c>id</c> and <c>method</c> first. A peer that writes them last is understood too; then its one message is held in memory.</remarks>
internal sealed class MessageReader(OvsdbJsonReader reader, MessageReader.ITarget target)
{
    /// <summary>What messages are for.</summary>
    internal interface ITarget : INotificationHandler
    {
        /// <summary>Takes the call with this id out of those that wait; null when none does.</summary>
        PendingCall? Take(long id);

        /// <summary>Answers a request of the server's.</summary>
        void Answer(string method, JToken id, JToken parameters);
    }

    /// <summary>Reads one message and acts on it. False at the end of the stream.</summary>
    public bool ReadOne()
    {
        if (!reader.NextMessage())
        {
            return false;
        }

        reader.Expect(JsonToken.StartObject, "a message");
        var message = default(Parts);
        try
        {
            while (reader.NextMember(out var member))
            {
                ReadMember(ref message, member);
            }

            Finish(ref message);
            return true;
        }
        catch (Exception e)
        {
            // The call was taken out of the waiting ones: nobody else would end it.
            message.Call?.Fail(e);
            throw;
        }
    }

    private void ReadMember(ref Parts message, string member)
    {
        switch (member)
        {
            case "id" when reader.IsInteger(out var number):
                message.Number = number;
                break;
            case "id":
                message.Id = reader.Document();
                break;
            case "method":
                message.Method = reader.Text("a method's name");
                break;
            case "params" when message.Method is not null && message.Id is { Type: JTokenType.Null }:
                message.Act = target.Read(message.Method, reader);
                message.HasActed = true;
                break;
            case "params":
                message.Parameters = reader.Document();
                break;
            case "result" when reader.Token == JsonToken.Null:
                break;
            case "result" when message.Number is { } id:
                message.Call = target.Take(id);
                if (message.Call is null)
                {
                    // The caller gave up; the reply came all the same.
                    reader.Skip();
                    message.HasActed = true;
                }
                else
                {
                    message.Call.ReadResult(reader);
                }

                break;
            case "result":
                message.Result = reader.Document();
                break;
            case "error" when reader.Token != JsonToken.Null:
                message.Error = reader.Document();
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private void Finish(ref Parts message)
    {
        if (message.Method is not null)
        {
            FinishMethod(ref message);
            return;
        }

        if (message.Number is not { } id)
        {
            // An error without a request is the server's last word about something it could not read.
            throw new OvsdbProtocolException(message.Error is null
                ? "a message is neither a request nor a notification nor a reply to one of our requests"
                : $"the server could not read a message: {message.Error.ToString(Formatting.None)}");
        }

        message.Call ??= target.Take(id);
        if (message.Call is null)
        {
            return;
        }

        if (message.Error is not null)
        {
            message.Call.Fail(Refusal(message.Call.Method, message.Error));
            return;
        }

        if (message.Result is not null)
        {
            message.Call.ReadResult(reader.Over(message.Result));
        }

        message.Call.Complete();
    }

    private void FinishMethod(ref Parts message)
    {
        if (message.Number is null && message.Id is null or { Type: JTokenType.Null })
        {
            var act = message.HasActed ? message.Act
                : message.Parameters is null ? throw new OvsdbProtocolException($"the notification \"{message.Method}\" has no params")
                : target.Read(message.Method!, reader.Over(message.Parameters));
            act?.Invoke();
            return;
        }

        target.Answer(message.Method!, message.Id ?? message.Number!.Value, message.Parameters ?? new JArray());
    }

    private static OvsdbRequestException Refusal(string method, JToken error) => error is JObject o
        ? new OvsdbRequestException(method, Part(o, "error") ?? "unknown error", Part(o, "details") ?? Part(o, "syntax"))
        : new OvsdbRequestException(method, error.ToString(Formatting.None).Trim('"'), null);

    private static string? Part(JObject error, string name) => error[name] is { Type: JTokenType.String } text ? (string?)text : null;

    private struct Parts
    {
        public long? Number;
        public JToken? Id;
        public string? Method;
        public JToken? Parameters;
        public JToken? Result;
        public JToken? Error;
        public PendingCall? Call;
        public Action? Act;
        public bool HasActed;
    }
}
