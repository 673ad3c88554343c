#!/usr/bin/env bash
# One archive with our packages and all that they need of Debian, for courts without any network. Called by `make bundle`
# behind `make deb`.
#   tools/bundle.sh [bookworm|trixie] [FOLDER]      FOLDER: where the packages are, dist otherwise; the archive goes there
# What is needed says apt, in a bare system of that release whose list of installed packages is empty: so whatever the
# target machine has or lacks, it is in there. Needs root, mmdebstrap and the network.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong bundle"
mkdir -p .setup/deb
log=$PWD/.setup/deb/bundle.log
: >>"$log"
. tools/steps.sh
release=${1:-bookworm}
from=${2:-dist}
case $release in bookworm) mark=deb12 ;; trixie) mark=deb13 ;; *) refuse "there are no packages for '$release'" ;; esac
[ "$(id -u)" = 0 ] || refuse "a bare $release takes root; run it with sudo"
ours=()
for name in wutong wutong-model wutong-room wutong-center wutong-kiosk; do
    found=$(find "$from" -maxdepth 1 -name "${name}_*+${mark}_*.deb" 2>/dev/null | head -n 1)
    [ -n "$found" ] || refuse "there is no package $name for $release in $from; run make deb RELEASE=$release"
    ours+=("$found")
done
version=$(dpkg-deb --field "${ours[0]}" Version)
name=wutong-bundle_${version}
base=.setup/deb/bundle-$release.tar
[ -n "$(find "$base" -mtime -1 2>/dev/null)" ] || {
    step "A bare $release with its newest lists" "is this machine online?" \
        mmdebstrap --variant=minbase --include=ca-certificates,apt-utils "$release" "$base.part.tar"
    mv "$base.part.tar" "$base"
}
root=$(mktemp -d "${TMPDIR:-/var/tmp}/wutong-bundle.XXXXXX")
trap 'trap - ERR; rm -rf --one-file-system "$root"' EXIT
step "Unpack it" "free 3 GB in ${TMPDIR:-/var/tmp}" tar --extract --file "$base" --directory "$root" --exclude './dev/*'
cp -a /etc/ssl/certs/. "$root/etc/ssl/certs/"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
for file in /etc/apt/apt.conf.d/*; do
    ! grep -qiE 'proxy|verify|cainfo' "$file" 2>/dev/null || cp "$file" "$root/etc/apt/apt.conf.d/"
done
bundle=$root/$name
mkdir -p "$bundle/repository/partial"
cp "${ours[@]}" "$bundle/repository/"
cat >"$root/collect.sh" <<'INSIDE'
set -euo pipefail
cd "$1/repository"
index() { apt-ftparchive packages . >Packages && gzip -9nkf Packages && apt-ftparchive release . >/tmp/Release && mv /tmp/Release .; }
index
echo "deb [trusted=yes] file:$PWD ./" >/etc/apt/sources.list.d/wutong.list
: >/tmp/nothing
apt=(apt-get -q -y -o Dir::State::Status=/tmp/nothing -o "Dir::Cache::Archives=$PWD" -o APT::Sandbox::User=root
    -o APT::Install-Recommends=false -o Acquire::Retries=3)
"${apt[@]}" update
"${apt[@]}" install --download-only wutong-center wutong-room wutong-kiosk
rm -rf partial lock Packages* Release
index
INSIDE
step "All that it needs of Debian, by apt" "is the mirror reachable?" unshare --mount --pid --fork --kill-child bash -c \
    'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && chroot "$0" bash /collect.sh "$1"' "$root" "/$name"
printf '%s\n' "$release" >"$bundle/RELEASE"
cp deploy/debian/install.sh "$bundle/"
chmod 0755 "$bundle/install.sh"
(cd "$bundle" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS)
step "The archive" "free 2 GB here" tar --create --file "$from/$name.tar" --directory "$root" --owner=0 --group=0 "$name"
printf '\n%s: %d packages. Its SHA256SUMS has this sum, which goes to the court by another way than the archive:\n  %s\n' \
    "$from/$name.tar" "$(find "$bundle/repository" -name '*.deb' | wc -l)" "$(sha256sum "$bundle/SHA256SUMS" | cut -d' ' -f1)"
