"""The commands of the Makefile: ``python -m muscle_study --help``.

Each command imports its modules when called, since every make calls some of them.
"""

import argparse
import shlex
import signal
import sys
from contextlib import nullcontext
from pathlib import Path

from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.stages import NOTEBOOK_STAGES
from muscle_study.running.documents import ParameterError
from muscle_study.running.facts import stages_of, write_facts
from muscle_study.running.lock import RunLockedError, is_held, run_lock
from muscle_study.running.parameters import describe, load
from muscle_study.running.slices import keep_used, write_slices


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    overrides = [override for text in options.set for override in shlex.split(text)]
    try:
        return COMMANDS[options.command](options, overrides)
    except (ParameterError, RunLockedError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # as shells count an interrupted command


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--run", default="demo", help="name of the parameter file")
    common.add_argument("--set", action="append", default=[], help='"section.key=value …"')
    parser = argparse.ArgumentParser(prog="muscle_study", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, parents=[common], help=function.__doc__)
        if name == "run":
            command.add_argument("stage", choices=NOTEBOOK_STAGES)
            command.add_argument(
                "--again", action="store_true", help="only retry failed participants"
            )
        if name == "train":
            command.add_argument("--parameters", help="JSON file that replaces the section")
            command.add_argument(
                "--scratch", action="store_true", help="write the model to the scratch run"
            )
        if name == "audit":
            command.add_argument("--number", help="name of a number; without one, all are listed")
        if name == "replicates":
            command.add_argument("--count", type=int, default=2000, help="number of populations")
            command.add_argument("--people", type=int, default=3000, help="people per population")
        if name == "curation-check":
            command.add_argument("--each", type=int, default=6, help="participants per fault")
            command.add_argument("--sound", type=int, default=56, help="without a fault")
            command.add_argument("--seed", type=int, default=20260110, help="seed of the cohort")
    return parser


def _run(options: argparse.Namespace, overrides: list[str]) -> int:
    """Run one stage's notebook."""
    from muscle_study.running.notebooks import NotebookError
    from muscle_study.running.runner import StageError, run_stage

    # raised as exceptions, so that the runner ends its kernel, which has its own session
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    try:
        run_stage(options.stage, options.run, overrides, options.again)
    except (NotebookError, StageError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _slices(options: argparse.Namespace, overrides: list[str]) -> int:
    """Check the parameters; write each section's slice of them, and the facts for Make."""
    parameters, paths = load(options.run, overrides), RunPaths(options.run)
    # while a run works, its own stay: the next `make` is refused, and `make status` tells of it
    if not is_held(paths.data) or not paths.facts.exists():
        write_slices(options.run, parameters)
        write_facts(options.run, parameters)
    return 0


def _params(options: argparse.Namespace, overrides: list[str]) -> int:
    """Print every parameter of a run, and the file that sets it."""
    print(describe(options.run, overrides))
    return 0


def _params_readme(_options: argparse.Namespace, _overrides: list[str]) -> int:
    """Write the reference of all parameters, params/README.md."""
    from muscle_study.running.reference import README, reference

    README.write_text(reference(), encoding="utf-8")
    return 0


def _report(options: argparse.Namespace, overrides: list[str]) -> int:
    """Render the manuscript."""
    parameters = load(options.run, overrides)
    from muscle_study.report.errors import ReportError
    from muscle_study.report.render import render
    from muscle_study.running.integrity import IntegrityError, check_results

    paths = RunPaths(options.run)
    try:
        with run_lock(paths.data, "report"):
            write_slices(options.run, parameters)
            check_results(stages_of(parameters), paths)
            for file in render(options.run, parameters.report):
                print(f"[report] {file}")
    except (IntegrityError, ReportError) as error:
        print(error, file=sys.stderr)
        return 1
    keep_used(options.run, "report")
    return 0


def _train(options: argparse.Namespace, overrides: list[str]) -> int:
    """Train the networks only, on several devices or nodes."""
    from lightning.pytorch.utilities import rank_zero_only

    from muscle_study.training.fit import train_networks, trainings_of
    from muscle_study.training.parameters import TrainingParameters

    paths = RunPaths(options.run, scratch="training" if options.scratch else None)
    if options.parameters is not None:  # called by the notebook, and its run holds the lock
        handed = Path(options.parameters).read_text(encoding="utf-8")
        parameters, lock = TrainingParameters.model_validate_json(handed), nullcontext()
    else:
        parameters = load(options.run, overrides).training
        first = rank_zero_only.rank == 0
        lock = run_lock(paths.data, "train") if first else nullcontext()
    if parameters.pretrained is not None:
        raise ParameterError("training.pretrained names a finished model: nothing is to be trained")
    with lock:
        train_networks(paths, parameters, trainings_of(paths, parameters))
    return 0


def _learning_curve(options: argparse.Namespace, overrides: list[str]) -> int:
    """Train with fewer participants, and score each training on the test split."""
    parameters = load(options.run, overrides)
    from muscle_study.checks.learning_curve import measure_curve

    with run_lock(RunPaths(options.run).data, "learning-curve"):
        measure_curve(RunPaths(options.run), parameters)
    return 0


def _curation_check(options: argparse.Namespace, overrides: list[str]) -> int:
    """Check that curation finds every kind of deliberate fault."""
    parameters = load(options.run, overrides)
    if parameters.cohort is None:
        raise ParameterError("curation-check makes a cohort: name a run with the section cohort")
    from muscle_study.checks.curation_check.check import check_curation

    problems = check_curation(options.run, parameters, options.each, options.sound, options.seed)
    for problem in problems:
        print(f"[curation-check] missed: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _replicates(options: argparse.Namespace, overrides: list[str]) -> int:
    """Check the statistics on many synthetic populations."""
    parameters = load(options.run, overrides)
    from muscle_study.checks.replicates import Plan, run

    plan = Plan(options.count, options.people, parameters.statistics)
    run(plan, RunPaths(options.run))
    return 0


def _summary(options: argparse.Namespace, _overrides: list[str]) -> int:
    """Print a summary of the run with the report's location."""
    from muscle_study.report.summary import summary

    print(summary(options.run))
    return 0


def _status(options: argparse.Namespace, overrides: list[str]) -> int:
    """Show the state of each stage: done, stale or failed, and why."""
    from muscle_study.running.status import status

    print(status(options.run, overrides))
    return 0


def _verify(options: argparse.Namespace, overrides: list[str]) -> int:
    """Check a finished run: hashes, recomputed tables, reference values."""
    from muscle_study.checks.chain import VerificationError
    from muscle_study.checks.verify import verify
    from muscle_study.running.notebooks import NotebookError
    from muscle_study.running.runner import StageError

    try:
        lines, problems = verify(options.run, load(options.run, overrides).cluster)
    except (NotebookError, StageError, VerificationError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    print(f"Run {options.run}: {f'{problems} off' if problems else 'verified'}")
    return 1 if problems else 0


def _reference(options: argparse.Namespace, _overrides: list[str]) -> int:
    """Store a finished run's numbers as reference values."""
    from muscle_study.checks.chain import VerificationError
    from muscle_study.checks.reference import write_reference

    try:
        print(write_reference(options.run))
    except VerificationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _audit(options: argparse.Namespace, _overrides: list[str]) -> int:
    """Trace a number of the manuscript to the raw data."""
    from muscle_study.checks.audit import audit, list_numbers
    from muscle_study.checks.chain import VerificationError

    try:
        lines = audit(options.run, options.number) if options.number else list_numbers(options.run)
    except VerificationError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


COMMANDS = {
    "run": _run,
    "slices": _slices,
    "params": _params,
    "params-readme": _params_readme,
    "report": _report,
    "train": _train,
    "learning-curve": _learning_curve,
    "curation-check": _curation_check,
    "replicates": _replicates,
    "summary": _summary,
    "status": _status,
    "verify": _verify,
    "reference": _reference,
    "audit": _audit,
}

if __name__ == "__main__":
    sys.exit(main())
