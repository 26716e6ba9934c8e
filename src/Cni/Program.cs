using Weft.Cni;

return Plugin.Run(CniEnvironment.FromProcess(), Console.OpenStandardInput(), Console.OpenStandardOutput());
