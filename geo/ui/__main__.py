"""``python -m geo.ui [PORT]`` serves the county in TACHA_COUNTY on 127.0.0.1 (port: argument, TACHA_PORT or 8501)."""

import os
import sys
from pathlib import Path

import streamlit as st

from geo.ui.routes import MIDDLEWARE, ROUTES, prepared
from geo.ui.vendor import ASSETS
from geo.words import say

CONFIG = {
    "server.address": "127.0.0.1",
    "server.headless": True,
    "server.maxUploadSize": 20,
    "server.fileWatcherType": "none",
    "browser.gatherUsageStats": False,
    "runner.magicEnabled": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "theme.primaryColor": "#08425a",
}


def main(arguments: list[str]) -> int:
    """Serve until stopped; 1 when the map's own scripts are not in place or the port is no number."""
    port = arguments[0] if arguments else os.environ.get("TACHA_PORT", "8501")
    if not port.isdigit() or not (ASSETS / "leaflet").is_dir():
        code = "ui_port_wrong" if not port.isdigit() else "ui_assets_missing"
        sys.stderr.write(f"{say(code, port=port)}\n{say(code, 'en', port=port)}\n")
        return 1
    app = st.App(Path(__file__).with_name("main.py"), routes=ROUTES, middleware=MIDDLEWARE, lifespan=prepared)
    app.run(config=CONFIG | {"server.port": int(port)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
