#!/bin/sh
# Install Wutong from this folder, on a Debian that has no network. As root:
#   ./install.sh center | room | kiosk ...        one or several of them
# Before anything is installed every file is compared with SHA256SUMS. Whether SHA256SUMS itself is the one that was made
# says its own sum, which came to you by another way than this folder: sha256sum SHA256SUMS
set -eu

here=$(cd "$(dirname "$0")" && pwd)
say() { printf 'wutong install: %s\n' "$1"; }
refuse() {
    printf 'wutong install: %s\n' "$1" >&2
    exit 2
}
[ $# -gt 0 ] || refuse "say what this machine is to be: ./install.sh center, ./install.sh room kiosk"
wanted=
for word in "$@"; do
    case $word in
        center | room | kiosk) wanted="$wanted wutong-$word" ;;
        *) refuse "there is no '$word' here; say center, room or kiosk" ;;
    esac
done
[ "$(id -u)" = 0 ] || refuse "installing takes root: sudo ./install.sh $*"
made_for=$(cat "$here/RELEASE")
release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
[ "$release" = "$made_for" ] || refuse "this folder is for Debian $made_for, and this machine is ${release:-none}"
case $here in
    *[!A-Za-z0-9/._+-]*) refuse "apt reads no folder of this name: $here; move it to /root/wutong-bundle, for example" ;;
esac
say "comparing every file with SHA256SUMS"
(cd "$here" && sha256sum --check --quiet --strict SHA256SUMS) ||
    refuse "a file is not what was packed; nothing was installed. Copy the folder again"
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
mkdir -p "$lists/state/partial"
# What vouches for the files is SHA256SUMS.
echo "deb [trusted=yes] file:$here/repository ./" >"$lists/wutong.list"
apt_here() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dir::Etc::SourceList="$lists/wutong.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$lists/state" -o APT::Sandbox::User=root -o Dpkg::Options::=--force-confold "$@"
}
apt_here update
# shellcheck disable=SC2086 # words
apt_here install --no-install-recommends $wanted
say "done:$wanted"
