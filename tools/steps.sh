# How setup, the checks and the bare machine do one thing after the other. To be sourced, in the project's folder, with
# `program` (who speaks) and `log` (a file) set.
#
# Promises: nothing ends without words. A step that fails says which it was, its command, the last lines that the
# command printed and what to do; whatever fails outside a step says at least its command and its line.

# say_failed WHAT CODE COMMAND REMEDY [LINES]: the same words for every failure, in the order in which they are wanted.
say_failed() {
    local remedy=$4
    case "${5:-}" in
        *"No space left on device"*) remedy="make room on the disk that it names, then run the same command again" ;;
    esac
    {
        printf '\n%s: this failed: %s (exit code %s)\n' "$program" "$1" "$2"
        printf '  command:    %s\n' "$3"
        if [ -n "${5:-}" ]; then
            printf '  it said:\n'
            sed 's/^/    | /' <<<"$5"
        else
            printf '  it said:    nothing\n'
        fi
        printf '  what to do: %s\n' "$remedy"
        printf '  all output: %s\n' "${log#"$PWD"/}"
    } >&2
}

# refuse PROBLEM: end, because something is wrong that no step can mend; PROBLEM says what to do.
refuse() {
    trap - ERR
    printf '\n%s: %s\n' "$program" "$1" >&2
    exit 2
}

# step NAME REMEDY COMMAND...: run it with its output in the log; on a terminal the seconds go by where one sees them.
step() {
    local name=$1 remedy=$2 started=$SECONDS from pid code=0
    shift 2
    printf '==> %s: %s\n' "$name" "$*" >>"$log"
    from=$(($(wc -c <"$log") + 1))
    running=$*
    set -m # A process group of its own, so that it can be ended with all that it has started.
    "$@" </dev/null >>"$log" 2>&1 9>&- & # What it starts for good must not hold a lock.
    pid=$!
    set +m
    if [ -t 1 ]; then
        while kill -0 "$pid" 2>/dev/null; do
            printf '\r  … %-60s %4ds' "$name" $((SECONDS - started))
            sleep 0.5
        done
        printf '\r'
    else
        printf '  … %s\n' "$name"
    fi
    wait "$pid" || code=$?
    if [ "$code" = 0 ]; then
        printf '  ✓ %-60s %4ds\n' "$name" $((SECONDS - started))
    else
        printf '  ✗ %-60s %4ds\n' "$name" $((SECONDS - started))
        trap - ERR
        say_failed "$name" "$code" "$*" "$remedy" "$(tail -c "+$from" "$log" | tail -n 15)"
        exit 2
    fi
}

# Ctrl-C does not reach a step's group. It is ended, but apt is not while it installs: dpkg would leave a system half done.
# What runs by sudo cannot be ended by who started it, and is waited for as well.
interrupted() {
    local pid
    trap - ERR
    trap '' INT TERM HUP
    # The shell's own list of what runs knows it also in the moment in which it is started.
    for pid in $(jobs -p); do
        case "$running" in
            *apt-get*" install "* | *--with-deps*) false ;;
            *) kill -s "$ending" -- "-$pid" 2>/dev/null ;;
        esac || printf '\n%s: interrupted; letting it finish first: %s\n' "$program" "$running" >&2
        wait "$pid" 2>/dev/null || true
    done
    printf '\n%s: interrupted; run it again, what is done is not done twice\n' "$program" >&2
    exit 130
}
running= # The command of the step that is under way,
ending=TERM # and the signal that ends it.

set -E
# In a subshell it only passes on: what called it tells of it once.
trap 'code=$?; [ "$BASH_SUBSHELL" = 0 ] || exit "$code"; say_failed "line $LINENO of ${BASH_SOURCE[0]}" "$code" "$BASH_COMMAND" "run it again; if it fails again, send the log to whoever maintains this"; exit 2' ERR
trap interrupted INT TERM HUP
