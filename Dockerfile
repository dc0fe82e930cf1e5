# Comity as a container image. From nothing: docker build -t comity .
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
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD comity status >/dev/null
ENTRYPOINT ["comity"]
CMD ["up"]
