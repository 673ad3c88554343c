# Let uv go where pip goes. To be sourced, in the project's folder, once .setup/tools is there. uv reads neither pip's
# settings nor, by itself, the system's certificates: a court behind a mirror or a proxy has set both, for pip.

# pip_setting NAME: what pip would use, whether the machine, the user or an environment variable says so.
pip_setting() {
    .setup/tools/bin/python -m pip config list 2>/dev/null |
        sed -n "s/^\(global\|install\|:env:\)\.$1='\(.*\)'\$/\2/p" | tail -n 1 || true
}
if [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    mirror=$(pip_setting index-url)
    [ -z "$mirror" ] || export UV_DEFAULT_INDEX=$mirror
fi
if [ -z "${HTTPS_PROXY:-}${https_proxy:-}" ]; then
    proxy=$(pip_setting proxy)
    [ -z "$proxy" ] || export HTTPS_PROXY=$proxy HTTP_PROXY=$proxy
fi
if [ -z "${SSL_CERT_FILE:-}" ]; then
    certificates=$(pip_setting cert)
    [ -z "$certificates" ] || export SSL_CERT_FILE=$certificates
fi
export UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
