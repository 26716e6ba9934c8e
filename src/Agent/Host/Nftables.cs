using System.Diagnostics;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host;

/// <summary>Keeps one nftables table as it should be. Other tables are never touched.</summary>
/// <remarks>
/// nft lists a table in its own words, so texts cannot be compared directly. The wanted text is loaded once into an empty network
/// namespace, where it has no effect, and listed there: that listing is what the host's must equal, whichever nft version is installed.
/// </remarks>
internal sealed class Nftables(string? netns)
{
    private static readonly string[] ListArguments = ["-s", "list", "table", "inet", NftText.Table];
    private string? _wanted;
    private string? _wantedListing;

    /// <summary>Replaces the table in one transaction when it differs.</summary>
    /// <returns>Whether it differed.</returns>
    /// <exception cref="NftException">nft refused; the table is as it was.</exception>
    public async Task<bool> ApplyAsync(string table, CancellationToken ct)
    {
        if (table != _wanted || _wantedListing is null)
        {
            _wantedListing = await CanonicalAsync(table, ct).ConfigureAwait(false);
            _wanted = table;
        }

        if (await ListAsync(ct).ConfigureAwait(false) == _wantedListing)
        {
            return false;
        }

        // "table" first: deleting one that does not exist would fail the transaction.
        await RunAsync(["-f", "-"], $"table inet {NftText.Table}\ndelete table inet {NftText.Table}\n{table}", ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>Whether the table is as <paramref name="table"/> says.</summary>
    public async Task<bool> IsAsync(string table, CancellationToken ct) =>
        await ListAsync(ct).ConfigureAwait(false) == await CanonicalAsync(table, ct).ConfigureAwait(false);

    /// <summary>Removes the table if it is there.</summary>
    public Task RemoveAsync(CancellationToken ct) =>
        RunAsync(["-f", "-"], $"table inet {NftText.Table}\ndelete table inet {NftText.Table}\n", ct);

    /// <summary>The table as nft shows it, without counters; empty when there is none.</summary>
    private async Task<string> ListAsync(CancellationToken ct)
    {
        var (exitCode, output, _) = await NftProgram.CommunicateAsync(StartHere(ListArguments), "", ct).ConfigureAwait(false);
        return exitCode == 0 ? output : "";
    }

    private async Task<string> RunAsync(string[] arguments, string script, CancellationToken ct) =>
        Successful(await NftProgram.CommunicateAsync(StartHere(arguments), script, ct).ConfigureAwait(false));

    /// <summary>Two processes: what nft lists in the transaction that loads it is not yet in its final form.</summary>
    private static async Task<string> CanonicalAsync(string table, CancellationToken ct)
    {
        using var empty = NetworkNamespace.New();
        Process StartThere(string[] arguments) => NetworkNamespace.Run(empty, "(new)", () => NftProgram.Start(arguments));
        Successful(await NftProgram.CommunicateAsync(StartThere(["-f", "-"]), table, ct).ConfigureAwait(false));
        return Successful(await NftProgram.CommunicateAsync(StartThere(ListArguments), "", ct).ConfigureAwait(false));
    }

    private static string Successful((int ExitCode, string Output, string Errors) result) => result.ExitCode == 0
        ? result.Output
        : throw new NftException($"nft refused the table: {result.Errors.Trim()}; check that the kernel has nf_tables and nft_masq");

    private Process StartHere(string[] arguments) => NetworkNamespace.Run(netns, () => NftProgram.Start(arguments));
}
