#!/usr/bin/env bash
# Run a command of this project on a bare Debian: nothing is there but make, git and certificates.
#   tools/bare.sh bookworm|trixie COMMAND      e.g. tools/bare.sh trixie "make demo ARGS='--headless --seconds 20'"
# Needs root and mmdebstrap. The system is made once (.setup/bare, anew after a week) and unpacked into a folder of its
# own for each run; the project's files go in as they are here. The network, its certificates and its proxies are this
# machine's. When the command ends so does every process that it left, and the folder goes. Each line tells its second.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong bare"
mkdir -p .setup/bare
log=$PWD/.setup/bare/bare.log # appended to: two of these may run at once
. tools/steps.sh

suite=${1:-}
command=${2:-}
[ -n "$suite" ] && [ -n "$command" ] || refuse "say a suite and a command: tools/bare.sh bookworm 'make demo'"
[ "$(id -u)" = 0 ] || refuse "making a bare system takes root; run it with sudo"
command -v mmdebstrap >/dev/null || refuse "mmdebstrap is missing; run make setup SET=tests, or apt install mmdebstrap"

base=.setup/bare/$suite.tar
exec 9>".setup/bare/$suite.lock"
flock 9 # two checks at once make one base
if [ -z "$(find "$base" -mtime -7 2>/dev/null)" ]; then
    step "A bare $suite" "is this machine online, and is '$suite' a suite of Debian?" \
        mmdebstrap --variant=minbase --include=ca-certificates,make,git "$suite" "$base.part.tar"
    mv "$base.part.tar" "$base"
fi
flock -u 9

root=$(mktemp -d "${TMPDIR:-/var/tmp}/wutong-bare.XXXXXX")
ended() { rm -rf --one-file-system "$root"; }
trap 'trap - ERR; ended' EXIT
step "Unpack it" "free 4 GB in ${TMPDIR:-/var/tmp}, or name another folder in TMPDIR" \
    tar --extract --file "$base" --directory "$root" --exclude './dev/*'

# What makes the network reachable on this machine makes it reachable in there.
mkdir -p "$root/usr/local/share/ca-certificates"
cp -a /etc/ssl/certs/. "$root/etc/ssl/certs/"
cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
for file in /etc/apt/apt.conf.d/*; do
    ! grep -qiE 'proxy|verify|cainfo' "$file" 2>/dev/null || cp "$file" "$root/etc/apt/apt.conf.d/"
done
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "CI=${CI:-}")
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR PIP_CERT \
    PIP_INDEX_URL UV_DEFAULT_INDEX NODE_EXTRA_CA_CERTS NPM_CONFIG_REGISTRY; do
    [ -z "${!name:-}" ] || environment+=("$name=${!name}")
done

# The system is thrown away, so dpkg need not wait for the disk.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/quick"

# The project as it is here, changed files included; with its history, as a clone has it.
mkdir -p "$root/root/wutong"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --create --null --files-from - | tar --extract --directory "$root/root/wutong" --no-same-owner
git clone -q --bare . "$root/root/wutong/.git" && git -C "$root/root/wutong" config core.bare false
[ ! -d ../shared ] || mkdir -p "$root/root/shared"

# The folder becomes the root of a mount namespace of its own, so that a bare system can be made inside it again.
inside='mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
    mount -t tmpfs tmpfs "$0/dev/shm" && mount -t sysfs -o ro sysfs "$0/sys" &&
    { [ ! -d ../shared ] || mount --bind -o ro ../shared "$0/root/shared"; } &&
    cd "$0" && pivot_root . . && umount --lazy . &&
    exec env -i --default-signal=INT,QUIT -C /root/wutong "${@:2}" bash -c "$1"'
printf '==> bare %s: %s\n' "$suite" "$command"
started=$SECONDS code=0
exec 8> >(while IFS= read -r line; do printf '%4ds  %s\n' $((SECONDS - started)) "$line"; done)
printer=$!
# In the background, so that Ctrl-C is heard: unshare itself ignores it, and all that runs inside ends with it.
set -m # In a group of its own, as steps are.
running="a bare $suite" ending=KILL
unshare --mount --pid --fork --kill-child bash -c "$inside" "$root" "$command" "${environment[@]}" </dev/null >&8 2>&1 8>&- 9>&- &
machine=$!
set +m
exec 8>&-
wait "$machine" || code=$?
wait "$printer" || true
printf '==> bare %s: exit code %d after %d s\n' "$suite" "$code" $((SECONDS - started))
exit "$code"
