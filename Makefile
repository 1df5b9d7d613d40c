# Two commands for a fresh machine: `make demo` and `make test`. Python 3.11, make and the package registries are enough.
PY ?= python3
VENV ?= .venv
TORCH = 2.13.0
# On Linux without a GPU, point TORCH_CPU_INDEX at PyTorch's index of CPU wheels to save 2.5 GB of CUDA packages.
TORCH_CPU_INDEX ?=
PIP = $(VENV)/bin/pip --disable-pip-version-check -q
PYTHON = $(VENV)/bin/python

.PHONY: demo serve test test-fast slow-tests test-sqlite test-scaled test-plain test-plain-and-browser test-browser test-machine chaos fuzz mutations bench-engine bench-harness bench-coverage bench-planted bench-analysis lint clean

demo: $(VENV)/.ok
	@$(PYTHON) manage.py demo $(DEMO)

serve: $(VENV)/.ok
	@$(PYTHON) manage.py serve $(SERVE)

# Three side by side, because each waits for processes of its own a third of the time: rows on PostgreSQL with Redis; rows
# on SQLite; what touches no rows, and then the browser.
test: lint
	@$(MAKE) --no-print-directory -j3 test-scaled test-sqlite test-plain-and-browser

PLAIN = tests/analysis tests/assistant tests/bench

test-sqlite: $(VENV)/.ok
	$(PYTHON) -m pytest -m "not browser" $(addprefix --ignore=,$(PLAIN))

test-plain: $(VENV)/.ok
	$(PYTHON) -m pytest $(PLAIN)

test-plain-and-browser: test-plain
	$(PYTHON) -m pytest -m browser

test-scaled: $(VENV)/.ok
	$(PYTHON) -m tests.scaled

test-fast: $(VENV)/.ok
	$(PYTHON) -m pytest -m "not slow and not browser"

# Measures all of them and writes anew which ones `make test-fast` leaves out (tests/slow.txt).
slow-tests: $(VENV)/.ok
	$(PYTHON) -m pytest -m "not browser" --junitxml=var/tests.xml
	$(PYTHON) -m tests.slow var/tests.xml

test-browser: $(VENV)/.ok
	$(PYTHON) -m pytest -m browser

# Very many random orders of commands and clocks; MACHINE_EXAMPLES=1000 make test-machine for more.
test-machine: $(VENV)/.ok
	MACHINE_EXAMPLES=$${MACHINE_EXAMPLES:-200} $(PYTHON) -m pytest tests/runtime/test_machine.py

# Tokens a second and the first token beside transformers' own ways, scores beside lm-evaluation-harness, which is
# installed for it; ENGINE="--sizes 10M --conversations 16" is short, ENGINE="--only scoring" is that part alone.
bench-engine: $(VENV)/.bench
	$(PYTHON) -m tests.bench.engine $(ENGINE)

# The same random model and questions by our lm-eval protocols and by lm-evaluation-harness: the same letters.
bench-harness: $(VENV)/.bench
	$(PYTHON) -m tests.bench.harness $(HARNESS)

# How often 95 % intervals hold the truth and tests err, in six designs; COVERAGE="--design 20x40 --replications 2000".
bench-coverage: $(VENV)/.ok
	OMP_NUM_THREADS=1 $(PYTHON) -m tests.bench.coverage $(COVERAGE)

# Twenty studies with a planted effect and twenty with none, taken by bots through the whole server.
bench-planted: $(VENV)/.ok
	$(PYTHON) -m tests.bench.planted $(PLANTED)

# 10,000 resamples of 100,000 trials beside pandas and numpy, the whole quick report, its imports; about three minutes.
bench-analysis: $(VENV)/.ok
	$(PYTHON) -m tests.bench.analysis $(ANALYSIS)

fuzz: $(VENV)/.ok
	$(PYTHON) -m tests.bench.fuzz $(FUZZ)

mutations: $(VENV)/.ok
	$(PYTHON) -m tests.bench.mutations $(MUTATIONS)

# About a quarter of an hour; for a shorter look CHAOS="--kills 20 --profile sqlite". `python -m tests.bench.chaos -h`
chaos: $(VENV)/.ok
	$(PYTHON) -m tests.bench.chaos $(CHAOS)

lint: $(VENV)/.ok
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) -m tests.check_deploy

$(VENV)/.bench: $(VENV)/.ok
	@$(PIP) install -e '.[bench]' -c constraints.txt
	@touch $@

$(VENV)/.ok: pyproject.toml constraints.txt
	@$(PY) -c 'import sys; assert sys.version_info[:2] in ((3, 11), (3, 12)), "Python 3.11 is needed; name it with make PY=python3.11"'
	@echo "Setting up $(VENV) (a minute or two, once)"
	$(PY) -m venv $(VENV)
	@$(PIP) install "torch==$(TORCH)+cpu" 2>/dev/null \
	 || { [ -n "$(TORCH_CPU_INDEX)" ] && $(PIP) install "torch==$(TORCH)+cpu" --extra-index-url "$(TORCH_CPU_INDEX)"; } \
	 || $(PIP) install "torch==$(TORCH)"
	@$(PIP) install -e '.[dev]' -c constraints.txt
	@touch $@

clean:
	rm -rf $(VENV) var
