#!/usr/bin/env bash
# Take out of an environment what no program that runs in it reads: sources, headers and static libraries for compilers,
# the test folders of other packages, and what onnxruntime brings for who makes models. 24 MB of 772 (2026-12-01).
#   tools/slim.sh FOLDER    of a virtual environment
# The packages stay known as they are to pip and uv, and can be removed or replaced by them.
set -euo pipefail
packages=$(echo "${1:?say the folder of a virtual environment}"/lib/python3.*/site-packages)
[ -d "$packages/numpy" ] || {
    printf 'slim: %s is no environment of Wutong\n' "$1" >&2
    exit 2
}
find "$packages" -type f \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name '*.pyx' -o -name '*.pxd' \
    -o -name '*.a' \) -delete
rm -rf "$packages"/numpy/tests "$packages"/numpy/*/tests "$packages"/fsspec/tests "$packages"/future/backports/test \
    "$packages"/onnxruntime/{transformers,quantization,tools}
