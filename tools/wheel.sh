#!/usr/bin/env bash
# Build what is installed on a court's machines, into dist/: the wheel, pages and units included, and the locks of what it
# needs. Called by `make wheel` after setup.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong wheel"
log=$PWD/.setup/wheel.log
: >"$log"
. tools/steps.sh
. tools/mirror.sh
rm -f dist/*.whl dist/*.lock
step "The wheel" "mend what it says, and run it again" .setup/tools/bin/uv build --quiet --wheel --require-hashes \
    --build-constraints locks/build.lock --out-dir dist .
cp locks/{product,model,sherpa,pkcs11,postgres,s3,oidc,ldap}.lock dist/
ls -1 dist
