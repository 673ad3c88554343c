#!/usr/bin/env bash
# The packages: judged by lintian, then in a bare Debian under a real systemd installed without a network, made a courtroom
# by its page, used, upgraded in the middle of a hearing from the version before, removed and purged; looked at by
# tools/setup_checks.py, tools/boot_checks.py and tools/deb_checks.py.
#   tools/deb_check.sh bookworm|trixie      KEEP=1: the packages of the last run are taken as they are
# Needs root, mmdebstrap, cgroup2 and the network (for the bundle); takes minutes. The version before is the same tree
# under a lower number. What cannot be booted says so and ends with 77.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong deb check"
mkdir -p .setup/deb
log=$PWD/.setup/deb/check.log
: >"$log"
. tools/steps.sh
suite=${1:-bookworm}
[ "$(id -u)" = 0 ] || refuse "booting a system in a folder takes root; run it with sudo"
began=$SECONDS
before=$PWD/.setup/deb/before-$suite after=$PWD/.setup/deb/after-$suite
if [ -z "${KEEP:-}" ] || [ ! -d "$after" ]; then
    rm -rf "$before" "$after"
    env WUTONG_DEB_VERSION=0.0.9 WUTONG_DEB_OUT="$before" tools/deb.sh "$suite"
    env WUTONG_DEB_OUT="$after" tools/deb.sh "$suite"
    tools/bundle.sh "$suite" "$before"
fi
base=.setup/deb/lintian-$suite.tar
[ -n "$(find "$base" -mtime -30 2>/dev/null)" ] || {
    step "A bare $suite with lintian" "is this machine online?" mmdebstrap --variant=minbase --include=lintian "$suite" "$base.part.tar"
    mv "$base.part.tar" "$base"
}
linting=$(mktemp -d "${TMPDIR:-/var/tmp}/wutong-lintian.XXXXXX")
trap 'trap - ERR; rm -rf --one-file-system "$linting"' EXIT
step "Unpack it" "free 3 GB in ${TMPDIR:-/var/tmp}" tar --extract --file "$base" --directory "$linting" --exclude './dev/*'
mkdir "$linting/after" && cp "$after"/*.deb "$linting/after/"
# These packages are built quickly, without compression; all else that lintian says of them it says of others, too.
step "Lintian: no error and no warning" "mend what it names, or override it with a reason in tools/deb_contents.py" unshare --mount --pid \
    --fork --kill-child bash -c 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && chroot "$0" sh -c \
        "lintian --allow-root --fail-on error,warning --tag-display-limit 0 --suppress-tags \
            uses-no-compression-for-data-tarball,uses-no-compression-for-control-tarball after/*.deb"' "$linting"
rm -rf --one-file-system "$linting"
base=.setup/deb/booted-$suite.tar
[ -n "$(find "$base" -mtime -7 2>/dev/null)" ] || {
    step "A bare $suite with systemd" "is this machine online?" mmdebstrap --variant=minbase \
        --include=systemd,systemd-sysv,dbus,iproute2,xvfb "$suite" "$base.part.tar"
    mv "$base.part.tar" "$base"
}
kept='' root=$(mktemp -d "${TMPDIR:-/var/tmp}/wutong-deb.XXXXXX")
. tools/booted.sh
step "Unpack it" "free 6 GB in ${TMPDIR:-/var/tmp}" tar --extract --file "$base" --directory "$root" --exclude './dev/*'
printf '127.0.0.1 localhost\n10.9.0.1 center.court.example room3.court.example\n' >"$root/etc/hosts"
tar --extract --file "$before"/wutong-bundle_*.tar --directory "$root/root"
mv "$root"/root/wutong-bundle_* "$root/root/bundle"
mkdir -p "$root"/root/{after,tools} && cp "$after"/*.deb "$root/root/after/"
cp tools/boot_checks.py tools/setup_checks.py tools/deb_checks.py "$root/root/tools/"
case $suite in bookworm) python=python3.11 ;; *) python=python3.13 ;; esac
test_profile /usr/lib/wutong/current/lib/$python/site-packages/hardware/hearing >"$root/root/room.toml"
# Nothing of this system is kept, so dpkg need not wait for the disk.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/quick"
boot "$root"
printf '==> %s has booted: %s\n' "$suite" "$(in_it systemctl --version | head -1)"
checks() { in_it timeout 500 env -C /root python3 -m tools.deb_checks "$1"; }
step "Install center, room and kiosk from the bundle, without a network" "what it says is at fault" \
    in_it timeout 500 /root/bundle/install.sh center room kiosk
checks installed
in_it timeout 400 env -C /root python3 -m tools.setup_checks /root/room.toml
in_it timeout 400 env -C /root /usr/lib/wutong/current/bin/python -m tools.boot_checks
checks screens
checks upgraded
checks purged
printf '==> the packages hold in a bare %s: %d s, with what was built\n' "$suite" $((SECONDS - began))
