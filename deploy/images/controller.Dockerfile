# The controller: no shell, no package manager, not root.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled
FROM ${SDK} AS build
WORKDIR /src
COPY . .
RUN deploy/images/publish controller /out

FROM ${RUNTIME}
COPY --from=build /out /app
USER 65532:65532
ENV DOTNET_EnableDiagnostics=0
ENTRYPOINT ["dotnet", "/app/weft-controller.dll"]
