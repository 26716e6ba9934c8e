using System.Diagnostics;
using System.Globalization;
using Spectre.Console;
using Weft.Lab.Kubelet;

namespace Weft.Lab.Commands;

/// <summary>How the commands speak: colours and tables on a terminal, plain lines elsewhere.</summary>
internal static class Terminal
{
    /// <summary>Runs a command; a failure is a message and exit code 1, never a stack trace.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (LabException e)
        {
            Complain(e.Message);
            return 1;
        }
        catch (Exception e) when (e is ClusterApiException or HttpRequestException)
        {
            Complain($"the cluster's API: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            Complain("cancelled");
            return 130;
        }
    }

    /// <summary>Prints steps with the time since the first.</summary>
    public static Action<string> Progress()
    {
        var begun = Stopwatch.GetTimestamp();
        return step => AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"[grey]{Stopwatch.GetElapsedTime(begun).TotalSeconds,5:0.0} s[/]  {step}");
    }

    /// <summary>Colours and the terminal's width only where there is a terminal.</summary>
    public static void Prepare()
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
            AnsiConsole.Console.Profile.Width = 200;
        }
    }

    private static void Complain(string message) => Console.Error.WriteLine(message);
}
