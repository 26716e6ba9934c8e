using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>What the author of a policy, or the owner of a namespace, asks for where something is denied; null: nothing said.</summary>
/// <param name="Reject"><c>weft.dev/deny-action: reject</c>: the sender is told (a TCP reset, or ICMP administratively prohibited); <c>drop</c>: it hears nothing.</param>
/// <param name="Log"><c>weft.dev/log-denied: "true"</c>: the agent logs it.</param>
internal readonly record struct DenyOptions(bool? Reject, bool? Log)
{
    public const string ActionAnnotation = "weft.dev/deny-action";
    public const string LogAnnotation = "weft.dev/log-denied";

    /// <summary>Reads the annotations.</summary>
    /// <param name="metadata">Of a policy or a namespace.</param>
    /// <param name="note">Takes what cannot be read, which is as if nothing were said.</param>
    public static DenyOptions Of(V1ObjectMeta? metadata, Action<string>? note = null) => new(
        Read(metadata, ActionAnnotation, "reject", "drop", note), Read(metadata, LogAnnotation, "true", "false", note));

    /// <summary>These, and where they say nothing, the others.</summary>
    public DenyOptions Or(DenyOptions others) => new(Reject ?? others.Reject, Log ?? others.Log);

    private static bool? Read(V1ObjectMeta? metadata, string annotation, string yes, string no, Action<string>? note)
    {
        var text = metadata?.Annotations?.GetValueOrDefault(annotation);
        if (text is not null && text != yes && text != no)
        {
            note?.Invoke($"metadata.annotations[{annotation}] is '{text}': it must be {yes} or {no}; it is passed over");
        }

        return text == yes ? true : text == no ? false : null;
    }
}
