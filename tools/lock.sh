#!/usr/bin/env bash
# Write locks/ anew from pyproject.toml: for each set, every package with its version and the hashes of its files.
# Versions stay as they are where they may; `tools/lock.sh --upgrade` takes the newest, `--upgrade-package NAME` one.
# The largest set is resolved first and binds the others, so that no package has two versions.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
uv=.setup/tools/bin/uv
[ -x "$uv" ] || { printf 'wutong lock: .setup/tools/bin/uv is missing; run make setup first\n' >&2; exit 2; }
. tools/mirror.sh
mkdir -p locks

# lock NAME OPTION...: resolve for every Python from 3.11 on, whatever this machine's is: one version for all of them.
lock() {
    local name=$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate --no-header \
        --output-file "locks/$name.lock" "$@"
    printf '%-20s %4d packages\n' "locks/$name.lock" "$(grep -c '==' "locks/$name.lock")"
}

# Nothing is ever fetched from a model hub, so its transfer library stays out.
not_needed=$(mktemp)
trap 'rm -f "$not_needed"' EXIT
printf 'hf-xet\n' >"$not_needed"

lock tests pyproject.toml --excludes "$not_needed" --extra model --extra sherpa --extra pkcs11 --extra postgres --extra s3 --extra oidc --extra ldap --extra bench --group tests "$@"
bound=(--excludes "$not_needed" --constraints locks/tests.lock)
lock bench pyproject.toml "${bound[@]}" --extra sherpa --extra bench
lock product pyproject.toml "${bound[@]}"
# What a court's machine may add to the product, each alone: uv reads an extra only together with what it extends.
extra='import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]])'
for name in model sherpa pkcs11 postgres s3 oidc ldap; do
    .setup/tools/bin/python -c "$extra" "$name" | tr ' ' '\n' | lock "$name" - "${bound[@]}"
done
lock build --group build "$@"
lock tools --group tools "$@"
