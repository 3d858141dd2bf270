"""
``python -m geo.ui [PORT]`` serves the county in TACHA_COUNTY.

On 127.0.0.1, or where there are accounts on TACHA_LISTEN; port: argument, TACHA_PORT or 8501.
"""

import os
import signal
import sys
from pathlib import Path

import streamlit as st

from geo.ui.door import LOOPBACK, county_path
from geo.ui.routes import MIDDLEWARE, ROUTES, prepared
from geo.words import say
from geo.workspace.accounts import accounts_on

CONFIG = {
    "server.headless": True,
    "server.maxUploadSize": 20,
    "server.fileWatcherType": "none",
    "server.trustedUserHeaders": '{"X-Tacha-Seen-As": "seen_as"}',
    "browser.gatherUsageStats": False,
    "runner.magicEnabled": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "theme.primaryColor": "#08425a",
}


def main(arguments: list[str]) -> int:
    """Serve until stopped; 1 when the port is no number, or others are to be let in without accounts."""
    port = arguments[0] if arguments else os.environ.get("TACHA_PORT", "8501")
    if not port.isdigit():
        sys.stderr.write(f"{say('ui_port_wrong', port=port)}\n{say('ui_port_wrong', 'en', port=port)}\n")
        return 1
    listen = os.environ.get("TACHA_LISTEN", LOOPBACK[0])
    path = county_path()
    if listen not in LOOPBACK and not (path and accounts_on(path)):
        sys.stderr.write(f"{say('listen_refused', address=listen)}\n{say('listen_refused', 'en', address=listen)}\n")
        return 1
    if hasattr(signal, "SIGHUP"):  # its window was closed: stop as when told to
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    app = st.App(Path(__file__).with_name("main.py"), routes=ROUTES, middleware=MIDDLEWARE, lifespan=prepared)
    try:
        app.run(config=CONFIG | {"server.port": int(port), "server.address": listen})
    except KeyboardInterrupt:  # Ctrl-C is how it is stopped
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
