#!/usr/bin/env bash
# The demo and every check and test, on a bare Debian 12 and a bare Debian 13, one after the other. Called by `make
# test-bare`; takes an hour on two cores, and root.
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
failed=()
trap 'printf "\nwutong bare: interrupted\n" >&2; exit 130' INT TERM HUP
for suite in bookworm trixie; do
    tools/bare.sh "$suite" "make demo ARGS='--headless --seconds 20' && du -sm .venv && make test" || failed+=("$suite")
    # 77: this machine cannot boot one, which it has said.
    tools/wheel.sh && { tools/boot.sh "$suite" || [ $? = 77 ]; } || failed+=("$suite, booted")
done
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nwutong bare: failed on: %s; what failed is named at the end of its output above\n' "${failed[*]}" >&2
    exit 1
fi
printf '\nthe demo and all checks and tests passed on both\n'
