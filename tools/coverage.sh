#!/usr/bin/env bash
# The share of the product's lines and branches that the unit tests run does not fall: below tools/coverage_floor.txt (in
# percent) this fails. It reads what `pytest -m unit --cov` has left.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
floor=$(cat tools/coverage_floor.txt)
now=$(.venv/bin/coverage report --format=total)
if [ "$now" -lt "$floor" ]; then
    printf 'the unit tests cover %d %% of the product, and %d %% before: test what is new. What is not run: .venv/bin/coverage report -m --skip-covered\n' \
        "$now" "$floor" >&2
    exit 1
fi
printf 'the unit tests cover %d %% of the product (at least %d %%)\n' "$now" "$floor"
[ "$now" = "$floor" ] || printf 'that may be kept: echo %d >tools/coverage_floor.txt\n' "$now"
