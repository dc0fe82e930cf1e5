# What breaks in the demo, and what is left of it. To be sourced after shift.bash.

a_killed_agent() {
    local was
    chapter "5  kill -9"
    tell "Fifty orders a second, to any. A call that may have reached one bakery goes on to the other, since an order" \
        "may be put twice. The agent of the busier bakery is killed."
    echo
    begin_shift
    watched market link
    rows_for 3
    first=$(busier) second=market
    [ "$first" != market ] || second=corner
    watched "$first" link
    was=$(link_port "$first")
    happening "kill -9 ${agents[$first]}: the agent of $first is dead"
    slay "${agents[$first]}" KILL
    unset "agents[$first]"
    rows_until 5 open
    rows_for 3
    happening "comity up: $first starts again, on another port than $was"
    start_agent "$first"
    rows_until 30 closed
    happening "the link is back: half-open for its first calls, one at a time, and closed behind the third"
    rows_for 1
    await 20 "mDNS to find $first at its new port" sighted_at "$first" "$(link_port "$first")"
}

link_port() { at "$1" status --json | jq -r '.listening.link[0] | split(":") | last'; }

# sighted_at NAME PORT: whether the cafe sees that peer there, over mDNS.
sighted_at() {
    at cafe peers --json | jq -e --arg name "$1" --arg port ":$2" '
        any(.peers[] | select(.name == $name) | .witnesses[]; .witness == "mdns" and (.endpoint | endswith($port)))' \
        >/dev/null
}

a_stopped_service() {
    echo
    tell "It was announced at its new port, and mDNS told the cafe before anybody asked:"
    play cafe peers || fail "this is not as told"
    expect mdns
    chapter "6  A service stops behind a living agent"
    tell "The link to $second stays up; only its order book ends. The cafe's shop window asks that bakery by name for" \
        "its list, ten times a second. It has no other to go to, so it is refused, soon at once; the orders go on."
    echo
    watched "$second" orders
    open_window
    rows_for 1
    happening "the order book of $second ends"
    slay "${books[$second]}" TERM
    rows_until 10 open
    rows_for 2
    happening "the order book of $second is back"
    open_order_book "$second"
    rows_until 30 closed
    rows_for 1
    close_window
    end_shift
    row
}

# The shop window: asks one bakery by name.
open_window() {
    local gateway
    gateway=http://$(at cafe status --json | jq -r .listening.gateway)
    "$here/demo.d/load" "$gateway" "/invoke/$second/orders/list" "$folder/window" 10 &
    window_of=$!
}

close_window() {
    kill -TERM "$window_of"
    wait "$window_of" || fail "the shop window did not end well"
    window_of=
}

the_count() {
    local noted twice
    chapter "7  The count"
    tell "Was an order lost? The bakeries' own books are counted, each order once."
    noted=$(sort -nu "$folder/market.book" "$folder/corner.book" | wc -l)
    twice=$(sort -n "$folder/market.book" "$folder/corner.book" | uniq -d | wc -l)
    echo
    printf '    %5d  orders asked for\n' "$asked"
    printf '    %5d  answered, the slowest after %d ms\n' "$answered" "$slowest"
    printf '    %5d  lost\n' "$lost"
    printf '    %5d  in the books; %d of them in both\n\n' "$noted" "$twice"
    if [ "$lost" != 0 ]; then
        sed 's/^/    lost: order, status, code, correlation: /' "$folder/figures.lost"
        fail "this is not as told: $lost orders were lost"
    fi
    [ "$answered" = "$asked" ] && [ "$noted" = "$asked" ] || fail "this is not as told: the counts differ"
    tell "The breakers' own account, newest first:"
    play cafe audit list --type breaker || fail "this is not as told"
    breaker_went "$first" link open half-open closed
    breaker_went "$second" orders open half-open closed
}

# breaker_went NAME WHAT STATE...: the audit must have these states in this order.
breaker_went() {
    local peer=$1 what=$2 states
    shift 2
    states=$(at cafe audit list --type breaker --json | jq -r --arg peer "$peer" --arg what "$what" '
        [.events[] | select(.target.name == $peer and (.resource // "link") == $what) | .breaker] | reverse | join(" ")')
    [[ $states =~ $1.*\ $2.*\ $3 ]] || fail "this is not as told: the breaker of $peer's $what went '$states'"
}

one_call() {
    local saved
    chapter "8  One call, three journals"
    tell "One of the orders met a bakery that could not, and was carried to the other. Each node wrote down what it" \
        "saw; the cafe asks the two others for their halves, and lays all three side by side:"
    saved=$(at cafe audit list --type attempt --failed --limit 1000 --json | jq -r --arg peer "$second" '
        [.events[] | select(.capability == "put" and .target.name == $peer) | .correlation][0] // empty')
    [ -n "$saved" ] || fail "this is not as told: no order met the stopped service"
    play cafe audit trace "$saved" || fail "this is not as told: no trace"
    expect "the 3 sides agree"
}

a_refused_call() {
    local refused
    chapter "9  A refused call, from both sides"
    tell "The order book of $second ends once more. Who asks for nobody else is told so."
    slay "${books[$second]}" TERM
    refused resource-unreachable cafe call "$second/orders/list"
    refused=$(sed -n 's/^ *correlation \([0-9a-f-]*\).*/\1/p' "$folder/played" | tail -n 1)
    echo
    tell "One question, and both sides answer it:"
    play cafe explain last || fail "this is not as told: no explanation"
    expect "$second *attempt 1: did orders answer"
    echo
    tell "And the bakery can ask about the same call:"
    play "$second" explain "$refused" || fail "this is not as told: no explanation"
    expect resource-unreachable
}
