using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Service-account tokens: signed claims (RFC 7519, ES256), bound to an account and, where asked, to a pod and its node.</summary>
/// <remarks>A token ends when its time is over or when what it is bound to is deleted.</remarks>
public sealed class TokenIssuer : IDisposable
{
    public const string Issuer = "https://kubernetes.default.svc";

    private const string ExtraPrefix = "authentication.kubernetes.io/";
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"ES256","typ":"JWT"}"""u8);

    private readonly ECDsa _key;
    private readonly ObjectStore _store;
    private readonly TimeProvider _time;

    public TokenIssuer(string directory, ObjectStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var file = Path.Combine(directory, "sa.key");
        if (File.Exists(file))
        {
            _key.ImportFromPem(File.ReadAllText(file));
        }
        else
        {
            Certificates.WriteSecret(file, _key.ExportPkcs8PrivateKeyPem());
        }
    }

    /// <summary>Answers a TokenRequest for an account.</summary>
    public JsonObject Issue(StoredObject account, JsonObject request)
    {
        var now = _time.GetUtcNow();
        var seconds = request.Integer("spec", "expirationSeconds") ?? 3600;
        if (seconds < 600)
        {
            throw new ApiException(422, "Invalid", "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: " +
                $"{seconds}: may not specify a duration less than 10 minutes");
        }

        var expires = now.AddSeconds(seconds);
        var audiences = request.At("spec", "audiences").Texts().DefaultIfEmpty(Issuer).ToList();
        var identity = new JsonObject
        {
            ["namespace"] = account.Namespace,
            ["serviceaccount"] = new JsonObject { ["name"] = account.Name, ["uid"] = account.Uid },
        };
        if (request.At("spec", "boundObjectRef") is JsonObject bound)
        {
            Bind(account, bound, identity);
        }

        var claims = new JsonObject
        {
            ["aud"] = audiences.ToJson(),
            ["exp"] = expires.ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["iss"] = Issuer,
            ["jti"] = Guid.NewGuid().ToString(),
            ["kubernetes.io"] = identity,
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["sub"] = $"system:serviceaccount:{account.Namespace}:{account.Name}",
        };
        return new JsonObject
        {
            ["kind"] = "TokenRequest",
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["metadata"] = new JsonObject { ["name"] = account.Name, ["namespace"] = account.Namespace, ["creationTimestamp"] = Json.Time(now) },
            ["spec"] = new JsonObject
            {
                ["audiences"] = audiences.ToJson(),
                ["expirationSeconds"] = seconds,
                ["boundObjectRef"] = request.At("spec", "boundObjectRef")?.DeepClone(),
            },
            ["status"] = new JsonObject { ["token"] = Sign(claims), ["expirationTimestamp"] = Json.Time(expires) },
        };
    }

    /// <summary>Whose token it is.</summary>
    /// <param name="audiences">One of them must be the token's; empty means the API server itself.</param>
    /// <param name="matched">The audiences that token and question have in common.</param>
    /// <returns>Null when it is not valid (any more).</returns>
    public UserInfo? Check(string token, IReadOnlyList<string> audiences, out ImmutableArray<string> matched)
    {
        matched = [];
        var parts = token.Split('.');
        JsonObject claims;
        try
        {
            if (parts.Length != 3 || !_key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256))
            {
                return null;
            }

            claims = Json.ParseObject(Base64Url.DecodeFromChars(parts[1]));
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }

        var wanted = audiences.Count == 0 ? [Issuer] : audiences;
        matched = [.. claims["aud"].Texts().Intersect(wanted)];
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        return matched.Length > 0 && claims.Integer("exp") > now ? User(claims["kubernetes.io"], claims.Text("jti")) : null;
    }

    public void Dispose() => _key.Dispose();

    private UserInfo? User(JsonNode? identity, string? id)
    {
        var ns = identity.Text("namespace") ?? "";
        var name = identity.Text("serviceaccount", "name") ?? "";
        var extra = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        extra[ExtraPrefix + "credential-id"] = $"JTI={id}";
        if (_store.Find("serviceaccounts", ns, name)?.Uid != identity.Text("serviceaccount", "uid"))
        {
            return null;
        }

        if (identity.At("pod") is { } pod)
        {
            if (_store.Find("pods", ns, pod.Text("name") ?? "")?.Uid != pod.Text("uid"))
            {
                return null;
            }

            extra[ExtraPrefix + "pod-name"] = pod.Text("name")!;
            extra[ExtraPrefix + "pod-uid"] = pod.Text("uid")!;
        }

        if (identity.At("node") is { } node)
        {
            extra[ExtraPrefix + "node-name"] = node.Text("name")!;
            extra[ExtraPrefix + "node-uid"] = node.Text("uid") ?? "";
        }

        return new UserInfo($"system:serviceaccount:{ns}:{name}",
            ["system:serviceaccounts", $"system:serviceaccounts:{ns}", "system:authenticated"], identity.Text("serviceaccount", "uid") ?? "")
        {
            Extra = extra.ToImmutable(),
        };
    }

    private void Bind(StoredObject account, JsonObject bound, JsonObject identity)
    {
        var (kind, name) = (bound.Text("kind"), bound.Text("name") ?? "");
        var key = kind switch
        {
            "Pod" => "pods",
            "Secret" => "secrets",
            "Node" => "nodes",
            _ => throw ApiException.BadRequest($"cannot bind token to object of type {kind}"),
        };
        var target = _store.Find(key, key == "nodes" ? "" : account.Namespace, name);
        if (target is null || (bound.Text("uid") is { Length: > 0 } uid && uid != target.Uid))
        {
            throw new ApiException(404, "NotFound", $"{key} \"{name}\" not found", new JsonObject { ["name"] = name, ["kind"] = key });
        }

        identity[kind.ToLowerInvariant()] = new JsonObject { ["name"] = name, ["uid"] = target.Uid };
        if (target.NodeName is { Length: > 0 } node)
        {
            identity["node"] = new JsonObject { ["name"] = node, ["uid"] = _store.Find("nodes", "", node)?.Uid ?? "" };
        }
    }

    private string Sign(JsonObject claims)
    {
        var text = $"{Header}.{Base64Url.EncodeToString(Json.ToBytes(claims))}";
        return $"{text}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256))}";
    }
}
