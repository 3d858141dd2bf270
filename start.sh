#!/bin/sh
# 打开踏查 Opens Tacha: sh start.sh [县文件夹 COUNTY FOLDER]. Needs Python 3.11 or the conda environment; no root, no compiler.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
for python in "$here/.venv/bin/python" "${CONDA_PREFIX:-/nowhere}/bin/python" python3.11 python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        exec "$python" "$here/start.py" "$@"
    fi
done
printf '%s\n' '没有找到 Python 3.11。请安装，或用 conda env create -f environment.yml 建好环境并激活后再启动。' \
    'Python 3.11 was not found. Install it, or run conda env create -f environment.yml, activate it and start again.' >&2
exit 1
