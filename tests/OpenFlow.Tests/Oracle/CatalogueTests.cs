using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Every kind of message that the library knows has a case that is compared with ovs-ofctl.</summary>
public sealed class CatalogueTests
{
    private static readonly (bool IsReply, MultipartType Kind)[] Parts =
        [.. Enum.GetValues<MultipartType>().SelectMany(k => new[] { (false, k), (true, k) })];

    [Test]
    public void Every_record_of_a_message_has_a_case()
    {
        var known = typeof(OpenFlowMessage).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(OpenFlowMessage)) && !t.IsAbstract);
        Assert.That(known.Except(MessageCatalogue.All.Select(m => m.GetType())), Is.Empty);
    }

    [Test]
    public void Every_type_of_message_has_a_case() =>
        Assert.That(Enum.GetValues<MessageType>().Except(MessageCatalogue.All.Select(m => m.Type)), Is.Empty);

    [Test]
    public void Every_multipart_request_and_reply_has_a_case() =>
        Assert.That(Parts.Except(MessageCatalogue.All.OfType<Multipart>().Select(m => (m.IsReply, m.Kind))), Is.Empty);

    [Test]
    public void Every_extension_that_has_a_name_has_a_case()
    {
        var texts = MessageCatalogue.All.Select(m => MessageText.Format(m.ToBytes(1))).ToList();
        Assert.That(MessagePrinter.ExperimenterNames.Values.Where(n => !texts.Exists(t => t.StartsWith(n + " ", StringComparison.Ordinal))), Is.Empty);
    }
}
