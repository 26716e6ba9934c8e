namespace Weft.Lab.ApiServer;

public enum AuthorizationMode
{
    /// <summary>Every authenticated user may do everything.</summary>
    AlwaysAllow,

    /// <summary>Roles and bindings decide; members of <c>system:masters</c> may do everything.</summary>
    RBAC,
}
