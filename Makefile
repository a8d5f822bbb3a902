# The study, from a clone to a manuscript: `make all`. `make help` lists the rest.
#
# A stage's target is its executed notebook. Make redoes a stage when the notebook, its package, its
# slice of the parameters, a shared module, or an earlier stage that it reads has become newer; and
# when it left a mark, since participants failed for what may have passed.

RUN ?= demo
SET ?=
OUT ?= .
export SET
export MUSCLE_STUDY_OUTPUT := $(abspath $(OUT))

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or later is needed; this is $(MAKE_VERSION). environment.yml brings one)
endif

# Another environment can be given, e.g. conda's: make all PYTHON=python
ifeq ($(origin PYTHON),command line)
environment :=
bench_environment :=
else
PYTHON := .venv/bin/python
environment := .venv/.complete
bench_environment := .venv/.bench
endif
study := $(PYTHON) -m muscle_study

.DELETE_ON_ERROR:
# Stages use the machine's cores themselves; two at once would share them.
.NOTPARALLEL:
.PHONY: all env test fuzz lint lab bench learning-curve replicates curation-check report status \
  params params-readme verify audit clean lock help FORCE
.DEFAULT_GOAL := help

# ---- stages -------------------------------------------------------------------------------------

reports := $(OUT)/reports/$(RUN)
data := $(OUT)/data/$(RUN)

# The run's stages (`stages`), and of each its target, its slice of the parameters, the stages that
# it reads, and all other files that it depends on. Python writes them on every make, and slices
# likewise; a file is rewritten only where its content differs.
facts := $(data)/parameters/stages.mk
$(facts): FORCE | $(environment)
	@exec $(study) slices --run $(RUN) --set "$$SET"
FORCE:

dry := $(findstring n,$(firstword -$(MAKEFLAGS)))
ifneq ($(filter all learning-curve %.ipynb %.html,$(MAKECMDGOALS)),)
ifeq ($(and $(dry),$(if $(shell command -v $(PYTHON)),,no Python)),)
include $(facts)
else
# Without an environment nobody knows the stages, and a dry run makes none.
$(MAKECMDGOALS): | $(environment)
	# then the stages of $(RUN), which are known once there is an environment
endif
endif

define stage_rule
$(target.$(1)): $(needs.$(1)) $(slice.$(1)) $(foreach read,$(reads.$(1)),$(target.$(read))) $(if \
  $(wildcard $(data)/parameters/$(1).again),FORCE) | $(environment)
	@exec $(study) $(if $(filter report,$(1)),report,run $(1)) --run $(RUN) --set "$$$$SET" $$(if \
	  $$(filter-out FORCE,$$?),,--again)
endef
# `--again`: only the mark made it run. If it then changes nothing, it leaves its target as it was,
# and Make the stages behind.
# `exec`: no shell stays between make and the stage, which ends when make is killed.
$(foreach stage,$(stages),$(eval $(call stage_rule,$(stage))))

ifdef stages
all: $(target.report) ## run what is not up to date, and render the report
	@$(study) summary --run $(RUN)
endif

# ---- other commands -----------------------------------------------------------------------------

env: $(environment) ## make the environment alone (.venv, from requirements.lock)

test: $(environment) ## run the tests
	@MAKEFLAGS= MUSCLE_STUDY_OUTPUT= SET= $(PYTHON) -m pytest

fuzz: $(environment) ## read 2,400 broken files: none may crash, hang or fill the memory
	@MUSCLE_STUDY_MUTANTS=400 $(PYTHON) -m pytest tests/curation/test_curation_fuzz.py

lint: $(environment) ## check style, layers, and that notebooks carry no outputs
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PYTHON) -m nbstripout --verify --keep-id --extra-keys "$(notebook_keys)" notebooks/*.ipynb
notebook_keys := metadata.papermill cell.metadata.papermill metadata.language_info.version

lab: $(environment) ## explore the notebooks in JupyterLab
	$(PYTHON) -m jupyter lab --notebook-dir=notebooks

bench: $(environment) $(bench_environment) ## time and memory beside MONAI's, nnU-Net's, TorchIO's
	@$(PYTHON) -m benchmarks --run $(RUN)

# Not part of `all`, for it trains once more for each size. `all` shows what it has left.
learning-curve: $(target.measurement) ## train with fewer participants; the report shows it
	@$(study) learning-curve --run $(RUN) --set "$$SET"
	@$(MAKE) --no-print-directory all

replicates: $(environment) ## check the statistics on many synthetic populations; then report
	@$(study) replicates --run $(RUN) --set "$$SET" $(if $(COUNT),--count $(COUNT))

curation-check: $(environment) ## curate a cohort full of faults: each must be found; then report
	@$(study) curation-check --run $(RUN) --set "$$SET" $(if $(SEED),--seed $(SEED))

report: $(environment) ## render the report alone, from what the stages have written
	@$(study) report --run $(RUN) --set "$$SET"

verify: $(environment) ## check a finished run: hashes, tables derived again, reference values
	@$(study) verify --run $(RUN) --set "$$SET"

audit: $(environment) ## NUMBER=name: how a number of the manuscript came about; else list them
	@$(study) audit --run $(RUN) $(if $(NUMBER),--number $(NUMBER))

params: $(environment) ## print every parameter of a run, and the file that sets it
	@$(study) params --run $(RUN) --set "$$SET"

params-readme: $(environment) ## write params/README.md from the descriptions in the code
	@$(study) params-readme

status: $(environment) ## say what is done, stale or failed, why, how far, and what is next
	@$(study) status --run $(RUN) --set "$$SET"

# Training costs hours, and raw data may be the only copy: they stay unless asked for.
costly := $(wildcard $(data)/model $(data)/raw $(data)/truth)
cheap := $(wildcard $(reports) $(reports)-scratch $(data)-scratch $(data)/parameters $(data)/curated $(data)/segmentations \
  $(data)/measurements $(data)/verification)
clean: ## remove a run's reports and intermediate data; ALL=1: its model and raw data too
ifdef ALL
	@echo "Removing the trained model and the raw data as well: $(costly)"
	rm -rf $(cheap) $(costly)
else
	rm -rf $(cheap)
	@echo "Kept: $(or $(costly),nothing) (make clean RUN=$(RUN) ALL=1 removes these too)"
endif

help: ## this list
	@echo "make COMMAND [RUN=name of a file in params/] [SET=\"section.key=value …\"] [OUT=folder]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

# ---- environment --------------------------------------------------------------------------------

base_python ?= python3.11
# The one place of this pin is pyproject.toml; CPU and CUDA builds differ, so it is not in the lock.
torch := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
install := .venv/bin/python -m pip install --quiet --disable-pip-version-check

.venv/.complete: requirements.lock
	$(base_python) -m venv --clear .venv
	$(install) --no-deps --require-hashes -r requirements.lock
	$(install) "$(torch)"
	$(install) --no-deps --no-build-isolation --editable .
	@touch $@

# What is compared with and the study does not need. No dependencies: all that is used is named, and
# nnU-Net's others would bring a second torch.
.venv/.bench: pyproject.toml .venv/.complete
	.venv/bin/python -c 'import tomllib; text = open("pyproject.toml").read(); print(*tomllib.loads( \
	  text)["project"]["optional-dependencies"]["bench"], sep="\n")' >$@.txt
	$(install) --no-deps --requirement $@.txt
	@touch $@

# Compile it where pip finds a CPU build of torch, or CUDA's packages are locked with it. Without
# rfc3987-syntax (and lark behind it), which checks web addresses of JSON schemas where it is there:
# jsonschema, and so MONAI, takes one to two seconds longer to import with it, in every process.
lock: $(environment) ## pin everything below pyproject.toml's dependencies, with hashes
	CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m piptools compile --quiet --extra dev \
	  --build-deps-for editable --unsafe-package torch --unsafe-package rfc3987-syntax \
	  --unsafe-package lark --generate-hashes --strip-extras --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml
	sed -i '/^# WARNING: The following packages were not pinned/,$$d' requirements.lock
