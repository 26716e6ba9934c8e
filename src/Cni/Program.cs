using Weft.Cni;

return Plugin.Run(CniEnvironment.FromProcess(), new DescriptorStream(0), new DescriptorStream(1));
