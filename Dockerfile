# Comity as a container image. From nothing: docker build -t comity .
# Targets: comity (also the last one, which is built when none is named), and for docker-compose.yml prepare and avahi.
#
#   SWIFT    the image with the Swift toolchain that builds the program
#   DEBIAN   what the program runs on; the same Debian that the toolchain's image is made from
#   PROGRAM  where the program comes from: the stage `build`, or an image that has it as /comity (with BuildKit nothing
#            is compiled then, and SWIFT is not even looked for)
ARG SWIFT=swift:6.3-bookworm
ARG DEBIAN=debian:bookworm-slim
ARG PROGRAM=build

FROM ${SWIFT} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends pkg-config libsqlite3-dev libavahi-client-dev \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
WORKDIR /source
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product comity \
    && strip --strip-all -o /comity "$(swift build -c release --static-swift-stdlib --show-bin-path)/comity"

FROM ${PROGRAM} AS program

FROM ${DEBIAN} AS comity
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libavahi-client3 libsqlite3-0 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --system --uid 7410 --user-group --home-dir /var/lib/comity --shell /usr/sbin/nologin comity \
    && install -d -o comity -g comity -m 0700 /var/lib/comity
COPY --from=program /comity /usr/local/bin/comity
USER comity
ENV COMITY_HOME=/var/lib/comity
VOLUME /var/lib/comity
# The link, for other nodes. The gateway and the control socket stay inside: `docker exec NAME comity ...`.
EXPOSE 7410
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s CMD comity status >/dev/null
ENTRYPOINT ["comity"]
CMD ["up"]

# Makes organisations for docker-compose.yml, then ends.
FROM comity AS prepare
USER root
COPY Scripts/containers/prepare /usr/local/bin/prepare
RUN for number in 1 2 3 4; do \
        install -d -o comity -g comity -m 0700 /organisations/$number/home /organisations/$number/token || exit 1; \
    done
USER comity
HEALTHCHECK NONE
ENTRYPOINT ["prepare"]
CMD []

# D-Bus and an Avahi daemon beside a node, for mDNS. From the node's image, since the bus admits only users that it knows.
FROM comity AS avahi
USER root
RUN useradd --system --uid 741 --user-group --home-dir /run/avahi-daemon --shell /usr/sbin/nologin avahi \
    && apt-get update \
    && apt-get install -y --no-install-recommends avahi-daemon dbus \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY Scripts/containers/avahi /usr/local/bin/avahi
USER avahi
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s CMD avahi --check
ENTRYPOINT ["avahi"]
CMD []

FROM comity
