# Agents for scripts: started in a folder that goes away, ended by their process ids. To be sourced.
#
# Everything stays on this machine: ports on 127.0.0.1, nothing announced unless a script turns Avahi on. COMITY_BIN names
# a program to run in place of the one that is built here.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
comity=${COMITY_BIN:-$repository/.build/debug/comity}
export COMITY_DISCOVERY_AVAHI=${COMITY_DISCOVERY_AVAHI:-off}
unset COMITY_HOME

# Name -> process id of the agent.
declare -A agents=()
folder=
# Words that stand before the program when an agent is started: what it runs under.
under=()

# Builds the program when it is missing, or older than its sources.
build() {
    [ -z "${COMITY_BIN:-}" ] || return 0
    cd "$repository"
    if [ ! -x "$comity" ]; then
        echo "building comity first; from nothing that takes 6 to 12 minutes on two cores" >&2
        swift build --product comity >&2
    elif [ -n "$(find Package.swift Sources -newer "$comity" -print -quit)" ]; then
        echo "building what changed" >&2
        swift build --quiet --product comity >&2
        touch "$comity"
    fi
}

# Makes the folder for homes and logs, and sees to it that nothing is left of it.
begin() {
    (build)
    folder=$(mktemp -d "${TMPDIR:-/tmp}/comity.XXXXXX")
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

finish() {
    local status=$? name
    trap - EXIT
    # Whoever read what this prints may be gone; the agents must go all the same.
    trap '' PIPE
    set +e
    if [ "$status" != 0 ] && [ "$status" != 130 ] && [ "$status" != 143 ]; then
        for name in "${!agents[@]}"; do
            echo "--- what agent $name said last" >&2
            tail -n 20 "$folder/$name.log" >&2
        done
    fi
    for name in "${!agents[@]}"; do end_agent "$name"; done
    local job
    # They may be writing into the folder: it goes when they are gone.
    for job in $(jobs -p); do
        kill -KILL "$job" 2>/dev/null || true
        { wait "$job" || true; } 2>/dev/null
    done
    leave
    rm -rf "$folder"
    exit "$status"
}

# What a script must do besides, once all agents are gone and before the folder goes.
leave() { :; }

# start_agent NAME: runs `comity up` in a home of its own, and waits until commands reach it.
start_agent() {
    local name=$1
    "${under[@]}" "$comity" up --home "$folder/$name" --name "$name" --listen 127.0.0.1:0 --gateway 127.0.0.1:0 \
        >"$folder/$name.log" 2>&1 </dev/null &
    agents[$name]=$!
    await 20 "agent $name" reached "$name"
}

reached() {
    kill -0 "${agents[$1]}" 2>/dev/null || fail "agent $1 ended"
    "$comity" status --home "$folder/$1" >/dev/null 2>&1
}

# Asks the agent to stop, waits, and after ten seconds insists.
end_agent() {
    local name=$1 process=${agents[$1]} _
    unset "agents[$name]"
    kill "$process" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$process" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
}

# at NAME ARGUMENTS...: a command of that node.
at() {
    local name=$1
    shift
    COMITY_HOME="$folder/$name" "$comity" "$@"
}

# befriend INVITER JOINER: trust between two agents that run, by an invite.
befriend() {
    at "$1" invite --no-wait >"$folder/line" 2>"$folder/invite.log" </dev/null \
        || fail "$1 makes no invite: $(cat "$folder/invite.log")"
    at "$2" join - <"$folder/line" >"$folder/join.log" 2>&1 || fail "$2 cannot join $1: $(cat "$folder/join.log")"
}

# cpu NAME...: milliseconds of CPU that all threads of these agents took so far.
cpu() {
    local name fields ticks=0
    for name in "$@"; do
        read -r -a fields < <(sed 's/.*) //' "/proc/${agents[$name]}/stat")
        ticks=$((ticks + fields[11] + fields[12]))
    done
    echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

# memory NAME [WORD]: what its process says under that word, in KiB; what is resident unless said.
memory() { awk -v word="${2:-VmRSS}:" '$1 == word { print $2 }' "/proc/${agents[$1]}/status"; }

# await SECONDS WHAT COMMAND...: until the command succeeds.
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "waited in vain for $what"
        sleep 0.05
    done
}

fail() {
    echo "$(basename "$0"): $1" >&2
    exit 1
}
