# Two commands do everything on a fresh Debian with Python 3.11: make demo, make test.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install assets programs demo test lint check bench wheel lock clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DEMO := build/demo
PORT ?= 8501
SERVE ?= 1
SIZE ?= full
export PYTHONUTF8 := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# $(call apt,PROBE,PACKAGES): install PACKAGES unless the shell command PROBE succeeds; one at a time.
define apt
	@if ! { $(1); } >/dev/null 2>&1; then \
	  echo "installing $(2) ..."; mkdir -p build; exec 9>build/.apt; flock 9; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2) >/dev/null; fi
endef

# $(call packages,FILE): the exact versions of a lock file, in two halves side by side; the lock leaves nothing to look up.
define packages
	@half() { awk -v rest=$$1 'NR % 2 == rest' $(1); }; \
	  $(BIN)/pip install -q --no-compile --no-deps -r <(half 0) & other=$$!; \
	  $(BIN)/pip install -q --no-compile --no-deps -r <(half 1) || { wait $$other; exit 1; }; wait $$other
	@$(BIN)/python -m compileall -qq -j 0 -x '/(tests?|pip|setuptools|pkg_resources|altair)/' .venv/lib || true
endef

help:
	@echo "make demo    install, build the demo county, run the main job, serve the map (SERVE=0: do not serve)"
	@echo "make test    install what tests need, check and test"
	@echo "make check   lint, types, import rules, purity, sizes"
	@echo "make bench   benchmarks, as JSON"
	@echo "make wheel   one file to install elsewhere with pip, the map's own scripts in it"

.venv/.installed: requirements.lock pyproject.toml
	$(call apt,$(PYTHON) -m ensurepip --version,python3-venv)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(call packages,requirements.lock)
	$(BIN)/pip install -q --no-deps -e .
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	$(call packages,requirements-dev.lock)
	@touch $@

# Compile everything once (byte code and the hot loops' machine code are kept beside the sources): nobody waits later.
build/.warm: .venv/.installed
	@$(BIN)/python -m compileall -q geo benchmarks
	@mkdir -p build && rm -rf build/warm && $(BIN)/tacha demo build/warm --size small >/dev/null
	@$(BIN)/tacha --county build/warm borders >/dev/null
	@touch $@

# The planner's loops; tests compile them while others run.
build/.warm-plan: build/.warm
	@test -e build/warm/county.toml || $(BIN)/tacha demo build/warm --size small >/dev/null
	@$(BIN)/tacha --county build/warm plan >/dev/null && rm -rf build/warm
	@touch $@

install: .venv/.installed build/.warm-plan

# The browser's own files (map library, draw tools): exact versions, checked by sha-256, served from this machine.
node_modules/.installed: package.json package-lock.json
	$(call apt,command -v npm,npm)
	npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

geo/ui/assets/.installed: node_modules/.installed geo/ui/assets.sha256 .venv/.installed
	$(BIN)/python -m geo.ui.vendor
	@touch $@

assets: geo/ui/assets/.installed
	$(call apt,fc-list | grep -qi cjk,fontconfig fonts-noto-cjk)

# What stands is used again; what an interruption left half done is made anew.
$(DEMO)/.done: | install
	rm -rf $(DEMO)
	$(BIN)/tacha demo $(DEMO) --size $(SIZE)
	@touch $@

$(DEMO)/exports/.done: $(DEMO)/.done
	$(BIN)/tacha --county $(DEMO) plan --if-missing
	$(BIN)/tacha --county $(DEMO) export routes --format gpx --out $(DEMO)/exports
	$(BIN)/tacha --county $(DEMO) export routes --format kml --out $(DEMO)/exports
	$(BIN)/tacha --county $(DEMO) report --out $(DEMO)/exports/townships.xlsx
	@touch $@

# The summary measures whatever is not current, so that the first page of the map has its figures at once.
demo: install assets $(DEMO)/exports/.done
	$(BIN)/tacha --county $(DEMO) summary
	@if [ "$(SERVE)" != "0" ]; then exec $(BIN)/tacha --county $(DEMO) app --port $(PORT); fi

lint: .venv/.installed-dev
	@$(BIN)/pip check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m benchmarks.sizes

check: lint
	$(BIN)/pytest tests/test_architecture.py

# What tests read with beside Python: another reader of every export, a browser, a second database.
programs:
	$(call apt,command -v chromium && command -v gpsbabel && command -v ogrinfo && \
	  ls /usr/share/postgresql/*/extension/postgis.control,chromium gpsbabel gdal-bin postgresql postgresql-15-postgis-3)

# Everything is made ready in two lanes from the start: while packages are installed, other programs are, too.
test:
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint build/.warm programs assets
	trap '.ci/postgis stop' EXIT; url=$$(.ci/postgis start); TACHA_POSTGIS_URL=$$url $(BIN)/pytest -n 2 --dist worksteal --durations=15

# One file for machines without npm: the package with the map's own scripts in it.
wheel: assets
	$(BIN)/pip wheel -q --no-deps -w build/wheel .
	$(PYTHON) -m zipfile -l build/wheel/tacha-*.whl | grep -q leaflet/dist/leaflet.js

bench: .venv/.installed-dev
	$(BIN)/python -m benchmarks.absence tests/analysis/absence_fixtures.json --json
	$(BIN)/python -m benchmarks.calibration --quick --json
	@for name in coverage record travel register; do $(BIN)/python -m benchmarks.$$name --json; done
	$(BIN)/python -m benchmarks.views --seeds 8 --seconds 4 --json
	$(BIN)/python -m benchmarks.planning --seeds 10 --draws 100 --json

lock:
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install -q . && build/lock/bin/pip uninstall -qy tacha
	build/lock/bin/pip freeze > requirements.lock
	build/lock/bin/pip install -q '.[dev]' && build/lock/bin/pip uninstall -qy tacha
	build/lock/bin/pip freeze > requirements-dev.lock
	rm -rf build/lock

clean:
	rm -rf build node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
