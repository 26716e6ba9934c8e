using System.CommandLine;

namespace Weft.Ctl.Output;

/// <summary>Options that take numbers of a range; another one is a wrong command line.</summary>
public static class OptionRange
{
    /// <summary>Refuses numbers outside of a range, by the option's name.</summary>
    public static Option<int> Between(this Option<int> option, int least, int most)
    {
        option.Validators.Add(result =>
        {
            // Text that is no number has its error already.
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is var number && (number < least || number > most))
            {
                result.AddError($"{option.Name} is {number}: it must be {least} to {most}");
            }
        });
        return option;
    }

    /// <summary>The same for each number of a list.</summary>
    public static Option<int[]> Between(this Option<int[]> option, int least, int most)
    {
        option.Validators.Add(result =>
        {
            foreach (var number in result.GetValueOrDefault<int[]>() ?? [])
            {
                if (number < least || number > most)
                {
                    result.AddError($"{option.Name} is {number}: it must be {least} to {most}");
                }
            }
        });
        return option;
    }
}
