#!/usr/bin/env bash
# Every check and test, in the order in which they fail fastest. Called by `make test` after setup.
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
. tools/node.sh
bin=.venv/bin
began=$SECONDS
# pytest ends at Ctrl-C as if its tests had failed; the rest shall not begin then.
trap 'printf "\nwutong test: interrupted\n" >&2; exit 130' INT TERM HUP
failed=()
# run NAME COMMAND...: each prints for itself; one that fails is named again at the end, with its command.
run() {
    local name=$1 started=$SECONDS code=0
    shift
    printf '\n== %s\n' "$name"
    "$@" || code=$?
    if [ "$code" = 0 ]; then printf '== %s: passed in %ds\n' "$name" $((SECONDS - started)); else
        printf '== %s: FAILED after %ds (exit code %d)\n' "$name" $((SECONDS - started)) "$code"
        failed+=("$name: $*")
    fi
}
run "ruff" $bin/ruff check .
run "ruff format" $bin/ruff format --check .
run "mypy --strict" $bin/mypy
run "import-linter" $bin/lint-imports
run "screens' contract" $bin/python tools/make_contract.py --check
run "svelte-check" npm --prefix web run --silent check
run "eslint" npm --prefix web run --silent lint
run "vitest" npm --prefix web run --silent test
# Two at a time: most tests wait for real devices and clocks, not for the processor. A file's tests stay together. Those
# with a bound on time, and the browser's, which start the whole of Wutong and Chromium beside it, come last and alone.
run "pytest" $bin/pytest -n 2 --dist loadfile --ignore tests/e2e -m "not alone"
run "pytest, one at a time" $bin/pytest -m alone --ignore tests/e2e
run "pytest in the browser" $bin/pytest tests/e2e
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nwutong test: %d of the checks failed; what each said stands above, after "== NAME". To run one again:\n' ${#failed[@]} >&2
    printf '  %s\n' "${failed[@]}" >&2
    exit 1
fi
printf '\nall checks and tests passed in %d s\n' $((SECONDS - began))
