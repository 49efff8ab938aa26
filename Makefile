# Everything here happens in .venv, which the first command makes. `make help` lists the commands.

# The lock needs Python 3.11 or newer; another one is chosen with `make PYTHON=... book`.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3.14 python3,\
	$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
RUN := $(VENV)/bin/python
PORT ?= 8000
# Python compiles what is imported, once. Pip would compile everything that there is, before anything
# can start, and most of that is never imported.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install book test serve picture bench results pocket-clip pocket-labels clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The stamp is newer than the lock and the metadata exactly if they are what is installed.
$(VENV)/installed: requirements-book.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it: make PYTHON=..."; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --no-compile --requirement requirements-book.lock
	$(RUN) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

install: $(VENV)/installed ## Make .venv, with the locked tools and this package in it

book: install ## Execute the chapters and build the pages (CHAPTERS=01_lemon: a draft of one)
	@$(RUN) book/build.py $(CHAPTERS)

test: install ## Lint, types, tests, every chapter in its fast tier, its pages in a browser
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(RUN) -m pytest $(ARGS)

serve: book ## Show the book at http://localhost:8000 (PORT=...)
	@$(RUN) -m http.server $(PORT) --bind localhost --directory build/html

picture: book ## Take the README's picture from the executed chapter 4
	@$(RUN) book/picture.py

bench: install ## Measure speed, as ratios within one run
	@$(RUN) speed/bench.py $(ARGS)

results: install ## Measure again what chapters only read (an hour or two; ARGS=frontier for one)
	$(RUN) -m wiseft_tutorial.results $(ARGS)

pocket-clip: install ## Train Pocket-CLIP again, from drawings alone (hours on a CPU; resumes)
	$(RUN) -m wiseft_tutorial.pocket.pretrain --out build/pocket-clip $(ARGS)

pocket-labels: install ## Train Pocket-Labels again, from drawings and labels (hours on a CPU; resumes)
	$(RUN) -m wiseft_tutorial.pocket.pretrain --learn-from labels --out build/pocket-labels $(ARGS)

clean: ## Remove what was built and measured; .venv and what was trained for hours stay
	find build -mindepth 1 -maxdepth 1 ! -name 'pocket-*' ! -name results -exec rm -rf {} + || true
	rm -rf .mypy_cache .pytest_cache .ruff_cache
