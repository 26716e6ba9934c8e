namespace Weft.Agent.CniServer;

/// <summary>Ports that are to be made before their pods come.</summary>
/// <param name="Count">How many are kept ready; 0: none, and those that wait from before go.</param>
/// <param name="Namespace">Path of the network namespace of their inner sides (<see cref="AgentOptions.SparePortsNamespace"/>).</param>
/// <param name="Ports">The switch's side.</param>
public sealed record SpareSettings(int Count, string Namespace, ISparePorts Ports);
