# The cafe's shift: fifty orders a second while things break and return. To be sourced after stage.bash.

declare -A books=()
shift_of=
window_of=

# open_order_book NAME: starts that bakery's service, at the port it had before if it had one.
open_order_book() {
    "$here/demo.d/orders" "$1" "$folder/$1.book" "$folder/$1.port" </dev/null 2>"$folder/$1.orders.log" &
    books[$1]=$!
    await 10 "the order book of $1" answers "$1"
}

answers() { [ -s "$folder/$1.port" ] && curl -sf -o /dev/null "http://127.0.0.1:$(cat "$folder/$1.port")/list"; }

# slay PROCESS SIGNAL: ends a process of ours, without the shell's own word on it.
slay() {
    kill "-$2" "$1"
    { wait "$1" || true; } 2>/dev/null
}

begin_shift() {
    local gateway
    gateway=http://$(at cafe status --json | jq -r .listening.gateway)
    "$here/demo.d/load" "$gateway" /invoke/any/orders/put "$folder/figures" 50 &
    shift_of=$!
    await 5 "the first figures" test -s "$folder/figures"
    told_second=0
}

end_shift() {
    kill -TERM "$shift_of"
    wait "$shift_of" || fail "the orders did not end well"
    shift_of=
    read_figures
}

read_figures() {
    local word
    read -r asked answered lost waiting slowest by <"$folder/figures"
    market=0 corner=0
    for word in $by; do
        case $word in
        market=*) market=${word#*=} ;;
        corner=*) corner=${word#*=} ;;
        esac
    done
}

# The provider that answers more, and so has more to lose.
busier() { read_figures && if [ "$market" -ge "$corner" ]; then echo market; else echo corner; fi; }

# watched NAME WHAT: which breaker the rows show: of the `link` to that node, or of its `orders`.
watched() {
    watched_peer=$1 watched_what=$2
    state=closed
}

# What the breaker that is watched says now.
look() {
    read_figures
    state=$(at cafe status --json | jq -r --arg peer "$watched_peer" --arg what "$watched_what" '
        [.breakers[] | select(.peer.name == $peer and (.resource // "link") == $what) | .state][0] // "closed"')
}

is_state() { [ "$state" = "$1" ]; }
never() { false; }

# One line of the shift: on a terminal it is drawn over itself until its second is over.
row() {
    local second=$((asked / 50)) ink=$good end='\n'
    if [ "$second" = "$told_second" ]; then
        if [ ! -t 1 ]; then return 0; fi
        end=
    fi
    [ "$state" = closed ] || ink=$bad
    if [ -t 1 ]; then printf '\r\e[K'; fi
    printf "  %3d s  %5d asked  %5d answered  %d lost   market %4d  corner %4d   %s's %s: %s%s%s$end" \
        "$second" "$asked" "$answered" "$lost" "$market" "$corner" \
        "$watched_peer" "$watched_what" "$ink" "$state" "$plain"
    told_second=$second
}

# rows SECONDS COMMAND...: tells the shift until the command succeeds; returns 1 when it did not within that time.
rows() {
    local end=$((SECONDS + $1))
    shift
    while true; do
        look
        row
        if "$@"; then break; fi
        if [ "$SECONDS" -ge "$end" ]; then return 1; fi
        sleep 0.1
    done
}

# For a moment.
rows_for() { rows "$1" never || true; }

# rows_until SECONDS STATE
rows_until() { rows "$1" is_state "$2" || fail "this is not as told: the breaker is $state, not $2, after $1 seconds"; }

# happening TEXT: what is done to them while the orders go on.
happening() {
    if [ -t 1 ]; then printf '\r\e[K'; fi
    printf '  %s── %s%s\n' "$bold" "$*" "$plain"
    told_second=-1
}
