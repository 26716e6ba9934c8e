using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;

namespace Weft.Lab.ApiServer;

/// <summary>Finds out who a request comes from: client certificate, or bearer token.</summary>
public sealed class Authenticator(Certificates certificates, TokenIssuer tokens)
{
    /// <returns>Null when credentials were given and are wrong; anonymous when none were given.</returns>
    public UserInfo? Authenticate(HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return tokens.Check(header[7..].Trim(), audiences: [], out _);
        }

        if (http.Connection.ClientCertificate is { } certificate)
        {
            return certificates.IsOurs(certificate) ? FromSubject(certificate) : null;
        }

        return UserInfo.Anonymous;
    }

    private static UserInfo FromSubject(X509Certificate2 certificate)
    {
        var names = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            .Where(n => !n.HasMultipleElements)
            .ToLookup(n => n.GetSingleElementType().Value, n => n.GetSingleElementValue() ?? "");
        return new UserInfo(names["2.5.4.3"].FirstOrDefault() ?? "", [.. names["2.5.4.10"], "system:authenticated"]);
    }
}
