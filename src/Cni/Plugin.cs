using System.Text;

namespace Weft.Cni;

/// <summary>One call of the plugin: checks the question's form, lets the agent answer it, prints the answer.</summary>
internal static class Plugin
{
    // A network configuration with all of a runtime's additions has a few kilobytes.
    private const int LongestInput = 1 << 20;

    /// <returns>The exit code: 0, or not 0 with a CNI error object on <paramref name="output"/>. Throws nothing.</returns>
    public static int Run(CniEnvironment environment, Stream input, Stream output)
    {
        // The version that an error is worded in: the caller's, as soon as it is known.
        var version = CniVersions.Newest;
        try
        {
            environment.Validate();
            var config = NetworkConfig.Parse(ReadAll(input), environment.Command);
            if (environment.Command == "VERSION")
            {
                // Specification section 5, "Version".
                Print(output, new JsonLine().Add("cniVersion", config.CniVersion).Add("supportedVersions", CniVersions.Supported).ToString());
                return 0;
            }

            version = config.CniVersion;
            var reply = AgentClient.Ask(config.Socket, environment.ToRequest(config.Text));
            Print(output, reply.Output);
            return reply.ExitCode;
        }
        catch (CniError e)
        {
            return Fail(output, version, e.Code, e.Message, e.Details);
        }
        catch (IOException e)
        {
            return Fail(output, version, CniErrorCode.InputOutput, $"cannot read the network configuration: {e.Message}",
                "The runtime must write it to the plugin's standard input.");
        }
    }

    private static int Fail(Stream output, string version, int code, string message, string details)
    {
        // Specification section 5, "Error".
        Print(output, new JsonLine().Add("cniVersion", version).Add("code", code).Add("msg", message).Add("details", details).ToString());
        return 1;
    }

    private static void Print(Stream output, string text)
    {
        if (text.Length == 0)
        {
            return;
        }

        output.Write(Encoding.UTF8.GetBytes(text + "\n"));
        output.Flush();
    }

    private static byte[] ReadAll(Stream input)
    {
        var buffer = new MemoryStream();
        var chunk = new byte[8192];
        int read;
        while ((read = input.Read(chunk)) > 0)
        {
            buffer.Write(chunk, 0, read);
            if (buffer.Length > LongestInput)
            {
                throw new CniError(CniErrorCode.DecodingFailure, $"the network configuration is longer than {LongestInput} bytes",
                    "Correct the file in the runtime's CNI configuration folder (usually /etc/cni/net.d).");
            }
        }

        return buffer.ToArray();
    }
}
