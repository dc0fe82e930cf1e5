# A terminal as a stage: chapters, sentences, commands with what they print. To be sourced after agents.bash.
#
# Colours and pauses only where a person watches: on a terminal, and no pauses after `pace=fast`.

pace=${pace:-people}
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' faint=$'\e[2m' good=$'\e[32m' bad=$'\e[31m' plain=$'\e[0m'
else
    bold='' faint='' good='' bad='' plain=''
fi

# breathe SECONDS
breathe() { if [ -t 1 ] && [ "$pace" = people ]; then sleep "$1"; fi; }

chapter() {
    printf '\n%s%s%s\n\n' "$bold" "$1" "$plain"
    breathe 1
}

tell() {
    printf '%s\n' "$*" | fold -s -w 92 | sed 's/ $//'
    breathe 0.9
}

# prompt NAME TEXT: a command as a person would type it.
prompt() { printf '\n  %s%s$%s comity %s\n' "$good" "$1" "$plain" "$2"; }

# indented < TEXT: what a command printed; the folder of this run is not part of the story.
indented() { sed -e "s| --home $folder/[a-z]*||g" -e 's/^./    &/'; }

# Attempts after the first, when they ended alike, are left out of what is shown.
abridged() {
    awk '/attempt 2:/ { hidden = 1 }
         /how did the call end/ { if (hidden) print "  ⋮       attempts 2 and 3 ended alike"; hidden = 0 }
         !hidden'
}

# play NAME ARGUMENTS...: shows a command of that node and what it prints; both outputs go to $folder/played.
# Returns what the command returned.
play() {
    local name=$1 words='' word status=0
    shift
    for word in "$@"; do
        case $word in
        *[\ \{\"]*) words+=" '$word'" ;;
        *) words+=" $word" ;;
        esac
    done
    prompt "$name" "${words# }"
    breathe 0.5
    at "$name" "$@" >"$folder/played" 2>&1 </dev/null || status=$?
    printf '%s' "$faint"
    abridged <"$folder/played" | indented
    printf '%s' "$plain"
    breathe 0.9
    return "$status"
}

# expect TEXT: what was played last must say it.
expect() { grep -q -- "$1" "$folder/played" || fail "this is not as told: no '$1' in what was printed"; }

# refused CODE NAME ARGUMENTS...: the command must fail, and say why.
refused() {
    local code=$1
    shift
    if play "$@"; then fail "this is not as told: it was not refused"; fi
    expect "$code"
}
