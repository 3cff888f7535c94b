# Each command does all the set-up on a fresh machine by itself:
#   make quadrants   installs, runs the experiment at laptop size, prints where its report is
#   make halo-mass   the same for the halo mass from neighbouring galaxies
#   make check       installs, runs lint, import contracts, types and all tests but the slow ones
#   make test        the same with the slow ones
#   make faults      kills, starves and crowds a study, fuzzes every reader, loses nodes, flips bits
#   make security    bandit, and the licences of everything that we build on
#   make docs        installs, and builds the documentation as a site, in build/site
#   make gallery     draws the figures of both papers at toy size, for a page of the site
#   make clusters    starts clusters by their launch files, on machines that this one plays
PYTHON ?= python3
BIN := .venv/bin
# Processes of tests: one more than two CPUs, since those that drive Ray wait for it.
TEST_PROCESSES ?= 3
# What a user's shell adds to Python's packages, or to pytest, stays outside.
OURS := env -u PYTHONPATH -u PYTHONHOME -u PYTEST_ADDOPTS -u PYTEST_PLUGINS \
	-u PYTEST_DISABLE_PLUGIN_AUTOLOAD
# A process takes one file after the other, or all that shares a Ray session, in the order
# in which tests/conftest.py puts them.
PYTEST := $(OURS) OMP_NUM_THREADS=1 $(BIN)/pytest -n $(TEST_PROCESSES) --dist loadgroup --no-loadscope-reorder \
	--durations 40 --durations-min 4
export RAY_USAGE_STATS_ENABLED = 0

.PHONY: quadrants desi halo-mass lint types quick-tests all-tests check test faults security resolve docs gallery clusters clean

quadrants: .venv/installed
	$(BIN)/python experiments/quadrants.py

desi: .venv/installed
	$(BIN)/python experiments/desi.py

halo-mass: .venv/installed
	$(BIN)/python experiments/halo_mass.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(OURS) $(BIN)/lint-imports

types: .venv/installed
	$(OURS) $(BIN)/mypy

quick-tests: .venv/installed
	$(PYTEST) -m "not slow"

all-tests: .venv/installed
	$(PYTEST)

# Types are checked beside the tests, which do not need all CPUs all the time.
check: lint
	$(MAKE) --jobs 2 types quick-tests

test: lint
	$(MAKE) --jobs 2 types all-tests

# Each fault three times, in real processes; 2,000 files for each reader; nodes that are lost
# in a campaign, a sweep and a training; and 20,000 bits flipped. An hour or two; each says at
# its end what survived.
faults: .venv/installed
	$(BIN)/python tests/faults/all_faults.py

security: .venv/installed
	$(BIN)/bandit --quiet --recursive platform --configfile pyproject.toml
	$(BIN)/python -m orrery licences

# Versions of Python that need not be here: only what packages say of themselves is read. That of
# the site's packages asks for 3.11.5 or newer.
resolve: .venv/installed
	mkdir -p build
	for python in 3.11.5 3.12 3.13; do \
		$(BIN)/uv pip compile --quiet --no-header --system-certs --python-version $$python \
			--constraints constraints.txt --extra dev --extra cluster pyproject.toml \
			--output-file build/resolved-$$python.txt || exit 1; \
		echo "Python $$python: build/resolved-$$python.txt"; \
	done

docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@[ -d build/gallery ] || echo "The gallery has no pictures yet: make gallery draws them."
	@echo build/site/index.html

# Minutes: experiments run and draw, but learn next to nothing.
gallery: .venv/installed
	$(BIN)/python docs/gallery.py

# Minutes; each test says what it needs where it cannot run.
clusters: .venv/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -rs tests/cluster/launch_files.py

# The constraints hold the exact version of everything, so that next year installs the same.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf .venv .pytest_cache
