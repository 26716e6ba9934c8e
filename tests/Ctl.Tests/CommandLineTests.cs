using Weft.Ctl.Output;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary>The words of the command line, without any cluster: what is wrong is named, and shells complete what is right.</summary>
public sealed class CommandLineTests
{
    [TestCase("--port is 80000: it must be 0 to 65535", "trace", "--from", "a", "--to", "b", "--port", "80000")]
    [TestCase("--source-port is 0: it must be 1 to 65535", "trace", "--from", "a", "--to", "b", "--source-port", "0")]
    [TestCase("--hash is 256: it must be 1 to 255", "trace", "--from", "a", "--to", "b", "--hash", "256")]
    [TestCase("--port is -1: it must be 1 to 65535", "verify", "--port", "80", "-1")]
    [TestCase("--limit is 0: it must be", "verify", "--limit", "0")]
    [TestCase("--count is 0: it must be 1 to 1000000", "capture", "--count", "0")]
    [TestCase("--seconds is 3601: it must be 1 to 3600", "capture", "--seconds", "3601")]
    [TestCase("--output is 'xml': it must be table, json or yaml", "status", "-o", "xml")]
    [TestCase("--output is 'table': it must be text, svg, dot, json or yaml", "topology", "-o", "table")]
    [TestCase("Option '--from' is required.", "trace", "--to", "b")]
    [TestCase("'statu' was not matched. Did you mean one of the following?", "statu")]
    [TestCase("'--form' was not matched. Did you mean one of the following?", "trace", "--form", "a")]
    public async Task A_wrong_word_is_named_and_the_exit_code_is_2(string expected, params string[] arguments)
    {
        var result = await Weftctl.RunAsync(arguments);
        Assert.That(result.ExitCode, Is.EqualTo(ExitCodes.Usage), result.Error);
        Assert.That(result.Output + result.Error, Does.Contain(expected));
    }

    [TestCase("demo/clint", "demo/client")]
    [TestCase("client", "demo/client")]
    [TestCase("other/client", "demo/client")]
    [TestCase("web-1", "demo/web-1")]
    [TestCase("twice", null)]
    [TestCase("something-else", null)]
    [TestCase("", null)]
    public void The_nearest_name_is_meant(string given, string? meant) =>
        Assert.That(Suggestion.For(given, ["demo/client", "demo/web-1", "demo/web-2", "a/twice", "b/twice"]), Is.EqualTo(meant));

    [TestCase("weftctl tr", "trace")]
    [TestCase("weftctl trace --pro", "--protocol")]
    [TestCase("weftctl status -o y", "yaml")]
    [TestCase("weftctl policy e", "explain")]
    public async Task Bash_completes_a_word(string line, string expected)
    {
        using var folder = new TemporaryFolder();
        await InstallAsync(folder, "bash");
        // As readline calls it, in a bash of its own.
        var script = $$"""
            PATH={{folder.Path}}:$PATH; source {{folder.File("completion")}}
            COMP_LINE='{{line}}'; COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<<"$COMP_LINE"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            complete -p weftctl >/dev/null && _weftctl && printf '%s\n' "${COMPREPLY[@]}"
            """;
        Assert.That((await Shell.RunAsync("bash", ["-c", script])).Trim(), Is.EqualTo(expected));
    }

    [Test]
    public async Task Zsh_finds_the_function_and_its_words()
    {
        using var folder = new TemporaryFolder();
        await InstallAsync(folder, "zsh");
        var script = await File.ReadAllTextAsync(folder.File("completion"));
        Assert.That(script, Does.StartWith("#compdef weftctl\n").And.Contains("compadd -- $words_found"));
        if (!File.Exists("/usr/bin/zsh"))
        {
            // The words that it passes on are those of the test for bash.
            await TestContext.Out.WriteLineAsync("there is no zsh: its script is read, not run");
            return;
        }

        // Completion outside of a terminal: compadd says what it is given.
        var run = $$"""
            path=({{folder.Path}} $path); compdef() { print "def $@" }; compadd() { print -l "$@" }
            source {{folder.File("completion")}}; BUFFER='weftctl tr'; CURSOR=10; _weftctl
            """;
        Assert.That(await Shell.RunAsync("zsh", ["-f", "-c", run]), Does.Contain("def _weftctl weftctl").And.Contains("trace"));
    }

    /// <summary>A folder with weftctl and its script for a shell.</summary>
    private static async Task InstallAsync(TemporaryFolder folder, string shell)
    {
        await File.WriteAllTextAsync(folder.File("weftctl"), $"#!/bin/sh\nexec {Weftctl.Dotnet} {Weftctl.Program} \"$@\"\n");
        await Shell.RunAsync("chmod", ["755", folder.File("weftctl")]);
        await File.WriteAllTextAsync(folder.File("completion"), (await Weftctl.RunAsync(["completion", shell])).Output);
    }
}
