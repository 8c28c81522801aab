#!/usr/bin/env bash
# Starts JupyterLab for the UI tests in empty folders of its own under .work/ (Playwright calls this).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

tree="$(dirname "$PWD")"
work="$PWD/.work"
rm -rf "$work"
mkdir -p "$work"/{root,data,config,runtime,ipython,pages/labextensions}

# The pages and the server of this tree, also where the environment has those of another one.
ln -s "$tree/jupyter_mlws/labextension" "$work/pages/labextensions/jupyter-mlws"
export JUPYTER_PATH="$work/pages"
export PYTHONPATH="$tree:$tree/jupyter_mlws/kernel_path"

# A kernel whose Python has MLflow and nothing of ours.
if [[ -x $tree/.venv-mlflow/bin/python ]]; then
  mkdir -p "$work/data/kernels/with-mlflow"
  printf '{"argv": ["%s", "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "With MLflow", "language": "python"}\n' \
    "$tree/.venv-mlflow/bin/python" >"$work/data/kernels/with-mlflow/kernel.json"
fi

export MLWS_UI_WORK="$work"
export MLWS_DATA_DIR="$work/mlws"
export JUPYTER_DATA_DIR="$work/data"
export JUPYTER_CONFIG_DIR="$work/config"
export JUPYTER_RUNTIME_DIR="$work/runtime"
export IPYTHONDIR="$work/ipython"
unset JUPYTER_TOKEN MLFLOW_TRACKING_URI MLFLOW_TRACKING_TOKEN

jupyter="../.venv/bin/jupyter"
[[ -x $jupyter ]] || jupyter=jupyter
exec "$jupyter" lab --config jupyter_server_test_config.py
