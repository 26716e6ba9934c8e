namespace Weft.Ovsdb;

/// <summary>Takes what the server sends unasked. Called on the reading thread, in order.</summary>
internal interface INotificationHandler
{
    /// <summary>Reads the parameters and returns what to do once the whole message has been read and found right; null for nothing.</summary>
    /// <param name="method">The method, such as <c>update3</c>.</param>
    /// <param name="reader">Stands on the parameters' first token; must be left on their last one.</param>
    Action? Read(string method, OvsdbJsonReader reader);
}
