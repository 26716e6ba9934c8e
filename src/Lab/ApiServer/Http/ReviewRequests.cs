using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Questions that are answered and not stored: TokenReview, the access reviews, and Binding by its old path.</summary>
public sealed class ReviewRequests(TokenIssuer tokens, Authorizer authorizer, ObjectOperations operations)
{
    public async Task CreateAsync(ApiRequest request, ResourceType type)
    {
        var review = await request.ReadObjectAsync();
        review["kind"] = type.Kind;
        review["apiVersion"] = type.ApiVersion;
        if (review["metadata"] is null)
        {
            review["metadata"] = new JsonObject { ["creationTimestamp"] = null };
        }

        switch (type.Plural)
        {
            case "tokenreviews":
                review["status"] = Token(review["spec"]);
                break;
            case "subjectaccessreviews" or "localsubjectaccessreviews":
                var spec = review["spec"];
                // HttpClient puts the groups that we send to aggregated servers into one header: they come back as one text.
                review["status"] = Access(new UserInfo(spec.Text("user") ?? "", [.. spec.At("groups").Texts().SelectMany(g => g.Split(", "))]), spec);
                break;
            case "selfsubjectaccessreviews":
                review["status"] = Access(request.User, review["spec"]);
                break;
            case "selfsubjectrulesreviews":
                review["status"] = Rules(request.User, review.Text("spec", "namespace") ?? "");
                break;
            case "selfsubjectreviews":
                review["status"] = new JsonObject { ["userInfo"] = request.User.ToJson() };
                break;
            case "bindings":
                var pods = operations.Registry.Find("", "v1", "pods")!;
                SubresourceRequests.Bind(operations, pods, request.Namespace, review.Text("metadata", "name") ?? "", review.Text("target", "name") ?? "");
                break;
        }

        await Responses.WriteAsync(request.Http, 201, review);
    }

    private JsonObject Token(JsonNode? spec)
    {
        var user = tokens.Check(spec.Text("token") ?? "", [.. spec.At("audiences").Texts()], out ImmutableArray<string> matched);
        return user is null
            ? new JsonObject { ["authenticated"] = false, ["user"] = new JsonObject(), ["error"] = "the token is not valid, not for this audience, or expired" }
            : new JsonObject { ["authenticated"] = true, ["user"] = user.ToJson(), ["audiences"] = matched.ToJson() };
    }

    private JsonObject Access(UserInfo user, JsonNode? spec)
    {
        var allowed = authorizer.Allows(user, AccessQuestion.Of(spec), out var why);
        var status = new JsonObject { ["allowed"] = allowed };
        if (why.Length > 0)
        {
            status["reason"] = why;
        }

        return status;
    }

    private JsonObject Rules(UserInfo user, string ns)
    {
        var rules = authorizer.RulesFor(user, ns).ToList();
        return new JsonObject
        {
            ["resourceRules"] = rules.Where(r => r["resources"] is not null).Select(r => (JsonNode?)r.DeepClone()).ToJson(),
            ["nonResourceRules"] = rules.Where(r => r["nonResourceURLs"] is not null).Select(r => (JsonNode?)r.DeepClone()).ToJson(),
            ["incomplete"] = false,
        };
    }
}
