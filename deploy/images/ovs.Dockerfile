# Open vSwitch: database and switch, each started alone by weft-ovs.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends openvswitch-switch kmod && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/*
COPY deploy/images/weft-ovs /usr/local/bin/weft-ovs
ENTRYPOINT ["/usr/local/bin/weft-ovs"]
