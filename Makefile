# The study, from a clone to a manuscript: `make all`. `make help` lists the rest.
#
# A stage's target is its executed notebook. Make redoes a stage if the notebook, its package, its
# slice of the parameters, a shared module or an earlier stage that it reads is newer, or if the
# stage left a mark because participants had failed for transient reasons.

RUN ?= demo
SET ?=
OUT ?= .
export SET
export MUSCLE_STUDY_OUTPUT := $(abspath $(OUT))

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or later is needed; this is $(MAKE_VERSION). environment.yml brings one)
endif

# To use another environment, e.g. conda's: make all PYTHON=python
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
# Each stage uses all cores of the machine, so stages run one at a time.
.NOTPARALLEL:
.PHONY: all env test fuzz lint lab bench learning-curve replicates curation-check report status \
  params params-readme verify audit clean lock help FORCE
.DEFAULT_GOAL := help

# ---- stages -------------------------------------------------------------------------------------

reports := $(OUT)/reports/$(RUN)
data := $(OUT)/data/$(RUN)

# The run's stages (`stages`); each stage's target, parameter slice, stages read and other
# dependencies. Python updates this file and the slices on every make, and rewrites a file only if
# its content differs.
facts := $(data)/parameters/stages.mk
$(facts): FORCE | $(environment)
	@exec $(study) slices --run $(RUN) --set "$$SET"
FORCE:

dry := $(findstring n,$(firstword -$(MAKEFLAGS)))
ifneq ($(filter all learning-curve %.ipynb %.html,$(MAKECMDGOALS)),)
ifeq ($(and $(dry),$(if $(shell command -v $(PYTHON)),,no Python)),)
include $(facts)
else
# Python lists the stages, and a dry run does not create its environment.
$(MAKECMDGOALS): | $(environment)
	# then the stages of $(RUN), listed once the environment exists
endif
endif

define stage_rule
$(target.$(1)): $(needs.$(1)) $(slice.$(1)) $(foreach read,$(reads.$(1)),$(target.$(read))) $(if \
  $(wildcard $(data)/parameters/$(1).again),FORCE) | $(environment)
	@exec $(study) $(if $(filter report,$(1)),report,run $(1)) --run $(RUN) --set "$$$$SET" $$(if \
	  $$(filter-out FORCE,$$?),,--again)
endef
# `--again`: the mark is the only reason to run. If nothing changes, the target keeps its time, and
# Make skips the stages that read it.
# `exec`: no shell stays between make and the stage, so that the stage ends when make is killed.
$(foreach stage,$(stages),$(eval $(call stage_rule,$(stage))))

ifdef stages
all: $(target.report) ## run all stages that are out of date and render the report
	@$(study) summary --run $(RUN)
endif

# ---- other commands -----------------------------------------------------------------------------

env: $(environment) ## create the environment (.venv, from requirements.lock)

test: $(environment) ## run the tests
	@MAKEFLAGS= MUSCLE_STUDY_OUTPUT= SET= $(PYTHON) -m pytest

fuzz: $(environment) ## read 2,400 corrupt files: no crash, hang or excessive memory
	@MUSCLE_STUDY_MUTANTS=400 $(PYTHON) -m pytest tests/curation/test_curation_fuzz.py

lint: $(environment) ## check style, imports between packages, and notebooks for outputs
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PYTHON) -m nbstripout --verify --keep-id --extra-keys "$(notebook_keys)" notebooks/*.ipynb
notebook_keys := metadata.papermill cell.metadata.papermill metadata.language_info.version

lab: $(environment) ## explore the notebooks in JupyterLab
	$(PYTHON) -m jupyter lab --notebook-dir=notebooks

bench: $(environment) $(bench_environment) ## time and memory compared with MONAI, nnU-Net, TorchIO
	@$(PYTHON) -m benchmarks --run $(RUN)

# Not part of `all`, because each size needs a training. `all` reports existing results.
learning-curve: $(target.measurement) ## train with fewer participants, then report
	@$(study) learning-curve --run $(RUN) --set "$$SET"
	@$(MAKE) --no-print-directory all

replicates: $(environment) ## check the statistics on many synthetic populations, then report
	@$(study) replicates --run $(RUN) --set "$$SET" $(if $(COUNT),--count $(COUNT))

curation-check: $(environment) ## check that curation finds every kind of deliberate fault, then report
	@$(study) curation-check --run $(RUN) --set "$$SET" $(if $(SEED),--seed $(SEED))

report: $(environment) ## render the report from existing results
	@$(study) report --run $(RUN) --set "$$SET"

verify: $(environment) ## check a finished run: hashes, recomputed tables, reference values
	@$(study) verify --run $(RUN) --set "$$SET"

audit: $(environment) ## trace a number of the manuscript (NUMBER=name), or list all
	@$(study) audit --run $(RUN) $(if $(NUMBER),--number $(NUMBER))

params: $(environment) ## print every parameter of a run and the file that sets it
	@$(study) params --run $(RUN) --set "$$SET"

params-readme: $(environment) ## write params/README.md from the descriptions in the code
	@$(study) params-readme

status: $(environment) ## show what is done, stale or failed, with reasons, progress and next step
	@$(study) status --run $(RUN) --set "$$SET"

# Training takes hours, and raw data may be the only copy: removed only with ALL=1.
costly := $(wildcard $(addprefix $(data)/,raw truth model learning_curve))
cheap := $(wildcard $(reports) $(reports)-scratch $(data)-scratch) \
  $(filter-out $(costly),$(wildcard $(data)/*))
clean: ## remove a run's reports and intermediate data; ALL=1: also model and raw data
ifdef ALL
	@echo "Removing the trained model and the raw data as well: $(costly)"
	rm -rf $(cheap) $(costly)
else
	rm -rf $(cheap)
	@echo "Kept: $(or $(costly),nothing) (make clean RUN=$(RUN) ALL=1 removes these too)"
endif

help: ## list the commands
	@echo "make COMMAND [RUN=name of a file in params/] [SET=\"section.key=value …\"] [OUT=folder]"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

# ---- environment --------------------------------------------------------------------------------

base_python ?= python3.11
# Pinned in pyproject.toml and not in the lock, because the hashes of CPU and CUDA builds differ.
torch := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
install := .venv/bin/python -m pip install --quiet --disable-pip-version-check

.venv/.complete: requirements.lock
	$(base_python) -m venv --clear .venv
	$(install) --no-deps --require-hashes -r requirements.lock
	$(install) "$(torch)"
	$(install) --no-deps --no-build-isolation --editable .
	@touch $@

# Packages for the comparison only. Without dependencies: the extra names all that are used, and
# nnU-Net's others would install a second torch.
.venv/.bench: pyproject.toml .venv/.complete
	.venv/bin/python -c 'import tomllib; text = open("pyproject.toml").read(); print(*tomllib.loads( \
	  text)["project"]["optional-dependencies"]["bench"], sep="\n")' >$@.txt
	$(install) --no-deps --requirement $@.txt
	@touch $@

# Compile on a machine where pip finds a CPU build of torch; otherwise the lock includes CUDA's
# packages. rfc3987-syntax and its dependency lark are left out: optional for jsonschema, they slow
# the import of jsonschema, and so of MONAI, by one to two seconds in every process.
lock: $(environment) ## pin all dependencies of pyproject.toml, with hashes
	CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m piptools compile --quiet --extra dev \
	  --build-deps-for editable --unsafe-package torch --unsafe-package rfc3987-syntax \
	  --unsafe-package lark --generate-hashes --strip-extras --no-emit-index-url \
	  --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml
	sed -i '/^# WARNING: The following packages were not pinned/,$$d' requirements.lock
