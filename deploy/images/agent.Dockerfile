# The agent with the CNI plugin, and the programs of Open vSwitch that agent and weftctl call. Root, because it configures the node's network;
# its pod gives it the capabilities that it needs and no others.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0
FROM ${SDK} AS build
# The plugin is compiled ahead of time.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN deploy/images/publish agent /out

FROM ${RUNTIME}
RUN apt-get update && apt-get install -y --no-install-recommends openvswitch-common openvswitch-switch nftables iproute2 ethtool tcpdump \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/*
COPY --from=build /out /app
ENV DOTNET_EnableDiagnostics=0
ENTRYPOINT ["dotnet", "/app/weft-agent.dll"]
