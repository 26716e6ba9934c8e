namespace Weft.OpenFlow.Messages;

/// <summary>Types of OpenFlow 1.3 messages (OpenFlow 1.3.5 section 7.1).</summary>
public enum MessageType : byte
{
    /// <summary>Versions.</summary>
    Hello = 0,

    /// <summary>A refusal.</summary>
    Error = 1,

    /// <summary>Are you there?</summary>
    EchoRequest = 2,

    /// <summary>Yes.</summary>
    EchoReply = 3,

    /// <summary>Extensions: Nicira's and ONF's.</summary>
    Experimenter = 4,

    /// <summary>Asks for features.</summary>
    FeaturesRequest = 5,

    /// <summary>Datapath id, buffers, tables.</summary>
    FeaturesReply = 6,

    /// <summary>Asks for the configuration.</summary>
    GetConfigRequest = 7,

    /// <summary>The configuration.</summary>
    GetConfigReply = 8,

    /// <summary>Sets the configuration.</summary>
    SetConfig = 9,

    /// <summary>A packet for the controller.</summary>
    PacketIn = 10,

    /// <summary>The end of a flow.</summary>
    FlowRemoved = 11,

    /// <summary>A port came, went or changed.</summary>
    PortStatus = 12,

    /// <summary>A packet from the controller.</summary>
    PacketOut = 13,

    /// <summary>Adds, modifies or deletes flows.</summary>
    FlowMod = 14,

    /// <summary>Adds, modifies or deletes groups.</summary>
    GroupMod = 15,

    /// <summary>Changes a port.</summary>
    PortMod = 16,

    /// <summary>Changes a table.</summary>
    TableMod = 17,

    /// <summary>Asks for state, in parts.</summary>
    MultipartRequest = 18,

    /// <summary>State, in parts.</summary>
    MultipartReply = 19,

    /// <summary>Asks for an answer after everything before it.</summary>
    BarrierRequest = 20,

    /// <summary>Everything before it is done.</summary>
    BarrierReply = 21,

    /// <summary>Asks for the queues of a port.</summary>
    QueueGetConfigRequest = 22,

    /// <summary>The queues of a port.</summary>
    QueueGetConfigReply = 23,

    /// <summary>Asks for or sets the role.</summary>
    RoleRequest = 24,

    /// <summary>The role.</summary>
    RoleReply = 25,

    /// <summary>Asks which events are sent.</summary>
    GetAsyncRequest = 26,

    /// <summary>Which events are sent.</summary>
    GetAsyncReply = 27,

    /// <summary>Chooses which events are sent.</summary>
    SetAsync = 28,

    /// <summary>Adds, modifies or deletes meters.</summary>
    MeterMod = 29,
}
