#!/usr/bin/env bash
# Every check and test, in the order in which they fail fastest. Called by `make test` after setup.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=()
run() {
    local name=$1 started=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if "$@"; then printf '== %s: passed in %ds\n' "$name" $((SECONDS - started)); else
        printf '== %s: FAILED after %ds\n' "$name" $((SECONDS - started))
        failed+=("$name")
    fi
}
run "ruff" $bin/ruff check .
run "ruff format" $bin/ruff format --check .
run "mypy --strict" $bin/mypy
run "import-linter" $bin/lint-imports
run "svelte-check" npm --prefix web run --silent check
run "eslint" npm --prefix web run --silent lint
run "vitest" npm --prefix web run --silent test
# Two at a time: most tests wait for real devices and clocks, not for the processor. A file's tests stay together. Those
# with a bound on time, and the browser's, which start the whole of Wutong and Chromium beside it, come last and alone.
run "pytest" $bin/pytest -n 2 --dist loadfile --ignore tests/e2e -m "not alone"
run "pytest, one at a time" $bin/pytest -m alone --ignore tests/e2e
run "pytest in the browser" $bin/pytest tests/e2e
if [ ${#failed[@]} -gt 0 ]; then
    printf '\nfailed: %s\n' "${failed[*]}"
    exit 1
fi
printf '\nall checks and tests passed\n'
