#!/usr/bin/env bash
# The checks and tests, in the order in which they fail fastest. Called by the Makefile after setup.
#   tools/check.sh               all of them, as `make test`
#   tools/check.sh lint|unit|web one part
#   tools/check.sh only WHAT     the tests of a path, or those whose names fit an expression
set -uo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
. tools/node.sh
# Hundreds of processes are started; each would compile every module anew, where the system's settings keep Python from
# leaving what it has compiled to the next one.
unset PYTHONDONTWRITEBYTECODE
bin=.venv/bin
began=$SECONDS
# pytest ends at Ctrl-C as if its tests had failed; the rest shall not begin then.
bare=
trap '[ -z "$bare" ] || { kill -INT "$bare" 2>/dev/null; wait "$bare"; }
    printf "\nwutong test: interrupted\n" >&2; exit 130' INT TERM HUP
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
web() { npm --prefix web run --silent "$1"; }

# $@: more commands, each a string, that run beside those that take long and use one core each.
lint() {
    run "ruff" $bin/ruff check .
    run "ruff format" $bin/ruff format --check .
    run "mypy --strict, svelte-check and eslint" at_once "$bin/mypy" "$@" "${pages[@]}"
    run "import-linter" $bin/lint-imports
    run "the contract of the pages" $bin/python tools/make_contract.py --check
    run "the tables of docs/scale.md" $bin/python tools/scale_table.py --check
}
pages=("npm --prefix web run --silent check" "npm --prefix web run --silent lint")
# at_once COMMAND...: each a string; they run beside each other, and what each says stands in one piece.
at_once() {
    local at code=0 folder
    local -a running=()
    folder=$(mktemp -d)
    for at in "$@"; do
        # What runs in a script's background would not hear Ctrl-C.
        # shellcheck disable=SC2086 # a command and its words
        env --default-signal=INT $at >"$folder/${#running[@]}" 2>&1 &
        running+=($!)
    done
    for at in "${!running[@]}"; do
        wait "${running[$at]}" || code=$?
        cat "$folder/$at"
    done
    rm -r "$folder"
    return "$code"
}
# Wutong runs on each Python from 3.11 on: types are checked for all, and those that are here read every file. The first
# is the one that mypy checks for by itself.
other_pythons=("$bin/mypy --python-version 3.12" "$bin/mypy --python-version 3.13")
pythons() {
    local version python
    for version in 3.12 3.13; do
        # What stands for one that is not installed, as pyenv's, fails when it is called.
        python=$(command -v "python$version") && "$python" -c '' 2>/dev/null || continue
        run "Python $version reads every file" env "PYTHONPYCACHEPREFIX=$PWD/.setup/bytecode" "$python" -m compileall -q \
            edge hardware recorder server sync transcriber wutong tests tools
    done
}
# Six minutes on two cores (2026-11-30); $@ adds to it.
unit() { run "pytest, unit" $bin/pytest -n 2 --dist worksteal -m unit "$@"; }

# A bare machine is made and set up mostly by waiting for the network and the disk: that goes on beside the checks that
# only compute, and is looked at before any test that measures time.
begin_bare() {
    mkdir -p .setup/bare
    env --default-signal=INT $bin/pytest tests/tools/test_bare_machine.py >.setup/bare/tests.log 2>&1 &
    bare=$!
}
# end_bare COMMAND...: says what it said and how it ended; the command is for who wants to run it again.
end_bare() {
    local code=0
    wait "$bare" || code=$?
    bare=
    cat .setup/bare/tests.log
    return "$code"
}

case "${1:-all}" in
    lint) lint ;;
    unit)
        unit
        run "vitest" web test
        ;;
    web)
        run "build" web build
        run "svelte-check and eslint" at_once "${pages[@]}"
        run "vitest" web test
        ;;
    only)
        what=${2:?say a path of tests, or an expression as of pytest -k}
        if [ -e "${what%%::*}" ]; then run "pytest" $bin/pytest "$what"; else run "pytest" $bin/pytest -k "$what"; fi
        ;;
    all)
        begin_bare
        lint "${other_pythons[@]}"
        pythons
        run "vitest" web test
        # Coverage is measured where it costs little and disturbs no test that measures time.
        unit --cov --cov-report=
        run "coverage" tools/coverage.sh
        # What it finds is printed, and lies in .setup/fuzz; longer by `make fuzz`.
        run "fuzz, for 30 s" $bin/python -m tests.fuzz.run --seconds 30
        # Six at a time: most tests wait for real devices and clocks, not for the processor. A file's tests stay together.
        # Those with a bound on time come alone; then two at a time what a page shows of a center or a room alone, and
        # last the browser's, which start the whole of Wutong and Chromium beside it.
        run "pytest on a bare machine" end_bare $bin/pytest tests/tools/test_bare_machine.py
        run "pytest" $bin/pytest -n 6 --dist loadfile --ignore tests/e2e -m "not unit and not alone"
        # That mark is always written in the file, so no other needs to be read for it.
        mapfile -t alone < <(grep -rl 'mark\.alone' tests --include='test_*.py' --exclude=test_bare_machine.py)
        run "pytest, one at a time" $bin/pytest -m "alone and not browser" "${alone[@]}"
        run "pytest, pages" $bin/pytest -n 2 --dist loadfile -m "alone and browser" "${alone[@]}"
        run "pytest in the browser" $bin/pytest -n 2 --dist loadfile tests/e2e
        ;;
    *)
        printf 'wutong test: there is no part "%s"; say lint, unit, web, or nothing\n' "$1" >&2
        exit 2
        ;;
esac
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nwutong test: %d of the checks failed; what each said stands above, after "== NAME". To run one again:\n' ${#failed[@]} >&2
    printf '  %s\n' "${failed[@]}" >&2
    exit 1
fi
printf '\nall of these checks and tests passed in %d s\n' $((SECONDS - began))
