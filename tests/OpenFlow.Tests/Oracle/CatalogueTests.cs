using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

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
    public async Task Every_extension_that_ovs_ofctl_knows_has_a_name_and_what_it_does_not_know_has_none()
    {
        // Names appear whatever the body is; subtypes beyond these are of nobody.
        uint[] subtypes = [.. Enumerable.Range(0, 140).Select(i => (uint)i), .. Enumerable.Range(1860, 60).Select(i => (uint)i), .. Enumerable.Range(2290, 70).Select(i => (uint)i)];
        var frames = new List<byte[]>();
        foreach (var vendor in new[] { Vendors.Nicira, Vendors.Onf })
        {
            foreach (var subtype in subtypes)
            {
                var body = new WireWriter();
                body.U32(vendor);
                body.U32(subtype);
                body.Zeros(40);
                frames.Add(new ExperimenterMessage(vendor, subtype, [.. new byte[40]]).ToBytes(1));
                frames.Add(new Multipart(false, MultipartType.Experimenter, false, body.ToArray()).ToBytes(1));
                frames.Add(new Multipart(true, MultipartType.Experimenter, false, body.ToArray()).ToBytes(1));
            }
        }

        var theirs = await Ofctl.PrintAsync(frames);
        Assert.That(frames.Select(f => MessageText.Format(f).TrimEnd()), Is.EqualTo(theirs));
    }

    [Test]
    public void Every_extension_that_has_a_name_has_a_case()
    {
        var texts = MessageCatalogue.All.Select(m => MessageText.Format(m.ToBytes(1))).ToList();
        Assert.That(MessagePrinter.ExperimenterNames.Values.Concat(MessagePrinter.PartNames.Values).Where(n => !texts.Exists(t => t.StartsWith(n + " ", StringComparison.Ordinal))), Is.Empty);
    }
}
