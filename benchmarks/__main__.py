"""Run benchmarks and write ``reports/bench/``: ``python -m benchmarks --help``."""

import argparse
import sys

from benchmarks import (
    cluster,
    confidence,
    generator,
    idle,
    inference,
    loading,
    real_anatomy,
    real_scans,
    storage,
    variants,
    workers,
)
from muscle_study.protocol.paths import RunPaths

COMPARISONS = {
    "idle": idle.compare,
    "generator": generator.compare,
    "inference": inference.compare,
    "loading": loading.compare,
    "storage": storage.compare,
    "confidence": confidence.compare,
    "real_scans": real_scans.compare,
    "cluster": cluster.compare,
    "workers": workers.compare,
    "real_anatomy": real_anatomy.compare,
    "variants": variants.compare,
}
#: Benchmarks that run only if named: trainings, which take longer than all others.
ON_REQUEST = {"variants"}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks and return the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--run", default="demo", help="run with the network and the training data")
    parser.add_argument("parts", nargs="*", metavar="part", help="; ".join(COMPARISONS))
    options = parser.parse_args(arguments)
    parts = options.parts or [name for name in COMPARISONS if name not in ON_REQUEST]
    if unknown := set(parts) - set(COMPARISONS):
        parser.error(f"unknown {sorted(unknown)}; known are {list(COMPARISONS)}")
    folder = RunPaths("bench").reports
    try:
        if "inference" in parts:
            inference.check_installed()
        for part in parts:
            print(f"measuring: {part}", flush=True)
            for result in COMPARISONS[part](options.run):
                result.table.write(folder, result.name)
                print(result.table.text.to_string(index=False), flush=True)
    except (FileNotFoundError, ModuleNotFoundError) as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"Tables are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
