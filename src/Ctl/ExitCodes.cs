namespace Weft.Ctl;

/// <summary>Exit codes of every command, for scripts.</summary>
public static class ExitCodes
{
    /// <summary>Answered, and all is well: delivered, in line, no difference.</summary>
    public const int Ok = 0;

    /// <summary>Not answered: no cluster, no such pod, a node that does not answer.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Answered, and the answer is no: dropped, problems, differences.</summary>
    public const int No = 3;
}
