#!/usr/bin/env bash
# `make demo` until the hearing of this run is being recorded, then Ctrl-C. For tests/tools/test_bare_machine.py.
set -euo pipefail
began=$(mktemp)
code=1
while IFS= read -r line; do
    printf '%s\n' "$line"
    case $line in
        *"开庭 — "*)
            until [ -n "$(find data/room-01/hearings -type f -size +100k -newer "$began")" ]; do sleep 0.2; done
            for process in /proc/[0-9]*; do
                case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline" || true) in
                    *python*/wutong\ demo\ *) kill -INT "${process#/proc/}" ;;
                esac
            done
            ;;
        "the exit code is "*) code=${line##* } ;;
    esac
done < <(made=0 && make demo ARGS='--headless --port-base 9400' 2>&1 || made=$?; echo "the exit code is $made")
exit "$code"
