using System.CommandLine;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl completion</c>: what a shell must know to complete words.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # weftctl completion bash > /etc/bash_completion.d/weftctl
        _weftctl() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(weftctl "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _weftctl weftctl
        """;

    private const string Zsh = """
        #compdef weftctl
        # weftctl completion zsh > "${fpath[1]}/_weftctl"
        _weftctl() {
          local -a words_found
          words_found=("${(@f)$(weftctl "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -- $words_found
        }
        compdef _weftctl weftctl
        # The first time the file is read because somebody wants a word completed.
        [ "${funcstack[1]}" != _weftctl ] || _weftctl
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash or zsh" };
        shell.AcceptOnlyFromAmong("bash", "zsh");
        var command = new Command("completion", "Print a script that completes weftctl's words in a shell.") { shell };
        command.SetAction(result =>
        {
            Console.Out.WriteLine(result.GetValue(shell) == "bash" ? Bash : Zsh);
            return ExitCodes.Ok;
        });
        return command;
    }
}
