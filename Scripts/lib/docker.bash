# A Docker daemon of a script's own, its images, and the program for them. To be sourced after agents.bash.
#
# The daemon keeps everything in the script's folder, has its own socket, makes no rule in the machine's firewall, and is
# ended by its process id. What takes long is kept in the build folder: a Debian base (.build/tools), and the program with
# the Swift runtime inside it (.build/static).

# The daemon's process id; empty while there is none.
daemon=
# The client, and what runs the compose file: words of a command each.
docker=()
compose=()
# What stands between the words of a name that the compose program gives: `_` up to version 1, `-` from 2 on.
joint=-

# docker_obstacle: prints why no daemon can run here; nothing when one can.
docker_obstacle() {
    local tool missing=()
    [ "$(id -u)" = 0 ] || { echo "needs root to run a Docker daemon" && return; }
    for tool in dockerd debootstrap unshare; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} = 0 ] || { echo "missing: ${missing[*]} (Debian: docker.io debootstrap util-linux)" && return; }
    choose_client
    [ ${#docker[@]} != 0 ] || { echo "no client of Docker here can build (BuildKit)" && return; }
    [ ${#compose[@]} != 0 ] || echo "missing: docker-compose (Debian: docker-compose)"
}

# Installs what is missing, where that can be done.
install_docker() {
    local wanted=()
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
    command -v dockerd >/dev/null || wanted+=(docker.io)
    command -v debootstrap >/dev/null || wanted+=(debootstrap)
    command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || wanted+=(docker-compose)
    [ ${#wanted[@]} != 0 ] || return 0
    echo "test-compose: installing ${wanted[*]}"
    # Debian's package would start a daemon for the whole machine; the policy is taken away again.
    local policy=/usr/sbin/policy-rc.d made=
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=yes; }
    apt-get update -q >/dev/null \
        && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${wanted[@]}" >/dev/null \
        || echo "test-compose: apt-get could not install them" >&2
    [ -z "$made" ] || rm "$policy"
}

# BuildKit is in the client up to version 22, and in a plugin from 23 on.
choose_client() {
    local client version
    for client in docker /usr/bin/docker; do
        version=$("$client" version --format '{{.Client.Version}}' 2>/dev/null || "$client" --version 2>/dev/null) || continue
        version=$(sed 's/^Docker version //' <<<"$version")
        if [ "${version%%.*}" -lt 23 ] || "$client" buildx version >/dev/null 2>&1; then
            docker=("$client")
            break
        fi
    done
    if command -v docker-compose >/dev/null; then
        compose=(docker-compose)
        ! docker-compose version --short 2>/dev/null | grep -q '^1\.' || joint=_
    elif [ ${#docker[@]} != 0 ] && "${docker[@]}" compose version >/dev/null 2>&1; then
        compose=("${docker[@]}" compose)
    fi
}

# start_daemon: answers 1 when it does not come up; why is in $folder/dockerd.log then.
start_daemon() {
    local home=$folder/docker
    mkdir -p "$home"
    export DOCKER_HOST=unix://$home/docker.sock DOCKER_BUILDKIT=1
    unset DOCKER_CONTEXT
    # A session of its own: an interrupt at the terminal is for the script.
    setsid unshare -m --propagation private dockerd --data-root "$home/data" --exec-root "$home/run" \
        -p "$home/docker.pid" -H "$DOCKER_HOST" --storage-driver overlay2 --iptables=false --ip-forward=false \
        --ip-masq=false --bridge=none >"$folder/dockerd.log" 2>&1 </dev/null &
    daemon=$!
    # Not one of the jobs that are killed when the script ends: it is ended in order.
    disown
    local _
    for _ in $(seq 300); do
        if "${docker[@]}" info >/dev/null 2>&1; then return 0; fi
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    return 1
}

# Ends containers, networks and volumes, then the daemon.
stop_daemon() {
    [ -n "$daemon" ] || return 0
    local ids
    ids=$("${docker[@]}" ps -aq 2>/dev/null || true)
    # shellcheck disable=SC2086
    [ -z "$ids" ] || "${docker[@]}" rm -f -v $ids >/dev/null 2>&1 || true
    "${docker[@]}" network prune -f >/dev/null 2>&1 || true
    "${docker[@]}" volume prune -f >/dev/null 2>&1 || true
    kill "$daemon" 2>/dev/null || true
    local _
    for _ in $(seq 200); do
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$daemon" 2>/dev/null || true
    daemon=
}

# make_base NAME: the Debian that images are made from, since none can be pulled.
make_base() {
    local kept=$repository/.build/tools/debian-bookworm.tar.gz
    if [ ! -s "$kept" ]; then
        echo "making a Debian base with debootstrap; it is kept in .build/tools"
        mkdir -p "$repository/.build/tools"
        debootstrap --variant=minbase bookworm "$folder/base" >"$folder/debootstrap.log" 2>&1 \
            || fail "debootstrap failed: $(tail -n 3 "$folder/debootstrap.log")"
        tar -C "$folder/base" --exclude=./var/cache/apt/archives/*.deb --exclude=./var/lib/apt/lists/* -czf "$kept.new" .
        mv "$kept.new" "$kept"
        rm -rf "$folder/base"
    fi
    "${docker[@]}" import "$kept" "$1" >/dev/null
}

# make_program NAME: an image that holds nothing but /comity, as the Dockerfile makes it, from the build on this machine.
make_program() {
    local binary=${COMITY_BIN:-$repository/.build/static/release/comity} context=$folder/program
    if [ -n "${COMITY_BIN:-}" ]; then
        echo "the program is $binary"
    elif [ ! -x "$binary" ] || [ -n "$(find "$repository/Package.swift" "$repository/Sources" -newer "$binary" -print -quit)" ]; then
        echo "building comity with the Swift runtime inside; from nothing that takes 10 to 20 minutes on two cores"
        (cd "$repository" && swift build --quiet -c release --static-swift-stdlib --product comity --scratch-path .build/static) \
            >&2 || fail "the program does not build"
        touch "$binary"
    fi
    mkdir -p "$context"
    strip --strip-all -o "$context/comity" "$binary"
    printf 'FROM scratch\nCOPY comity /comity\n' >"$context/Dockerfile"
    build_image "$1" "$context"
    rm -r "$context"
}

# build_image NAME ARGUMENTS...
build_image() {
    local name=$1
    shift
    "${docker[@]}" build -q --network host -t "$name" "$@" >"$folder/build.log" 2>&1 \
        || fail "the image $name does not build: $(tail -n 20 "$folder/build.log")"
}
