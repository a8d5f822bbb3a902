"""Curation's findings against a synthetic cohort's deliberate faults.

This is the only place of the stage that reads the truth, after everything is written: no curated
data depend on it.
"""

from collections.abc import Collection
from itertools import chain

import pandas as pd
from scipy import stats

from muscle_study.curation.stage import Curated
from muscle_study.protocol.exclusions import Reason
from muscle_study.protocol.faults import Fault
from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.findings import ACTIONS, SOUND, Correction, Flag
from muscle_study.protocol.paths import RunPaths

#: Reasons, corrections and flags that count as finding a fault.
CODES: dict[Fault, frozenset[str]] = {
    fault: frozenset(codes)
    for fault, codes in {
        Fault.SWAP_WHOLE: {Reason.WATER_FAT_SWAP, Correction.WATER_FAT_SWAP},
        Fault.SWAP_STATION: {Reason.WATER_FAT_SWAP, Correction.WATER_FAT_SWAP},
        Fault.SWAP_SIDE: {Reason.WATER_FAT_SWAP},
        Fault.CUT_TOP: {Reason.FIELD_OF_VIEW, Flag.SMALL_FIELD_OF_VIEW},
        Fault.CUT_BOTTOM: {Reason.FIELD_OF_VIEW, Flag.SMALL_FIELD_OF_VIEW},
        Fault.CUT_SIDES: {Reason.FIELD_OF_VIEW, Flag.SMALL_FIELD_OF_VIEW},
        Fault.IMPLANT_HIP: {Flag.SIGNAL_VOID},
        Fault.IMPLANT_SPINE: {Flag.SIGNAL_VOID},
        Fault.SEVERE_MOTION: {Flag.MOTION},
        Fault.IDENTITY_AFFINE: {Reason.BAD_GEOMETRY},
        # the reference labels of the annotated keep the right affine
        Fault.FLIPPED_AFFINE: {Reason.WRONG_ORIENTATION, Reason.GRID_MISMATCH},
        Fault.DUPLICATE_SCAN: {Reason.DUPLICATE_SCAN},
        Fault.REPEAT_SCAN: {Correction.REPEATED_SCAN},
        Fault.MISSING_CONTRAST: {Reason.MISSING_CONTRAST},
        Fault.NO_IMAGES: {Reason.NO_IMAGES},
        Fault.EMPTY_FILE: {Reason.UNREADABLE_IMAGE},
        Fault.TRUNCATED_FILE: {Reason.UNREADABLE_IMAGE},
        Fault.NAN_VOXELS: {Reason.NON_FINITE_VOXELS},
        Fault.WRONG_SHAPE: {Reason.GRID_MISMATCH},
        Fault.UNKNOWN_LABEL: {Reason.UNKNOWN_LABEL},
        Fault.BMI_CONTRADICTION: {Reason.BMI_CONTRADICTION},
        Fault.DUPLICATE_ID: {Reason.DUPLICATE_ID},
        Fault.MISSING_AGE: {Reason.MISSING_COVARIATE},
        Fault.MISLABELLED_CONTRAST: {Correction.MISLABELLED_CONTRAST},
    }.items()
}

#: Level of the Wilson intervals, which stay within 0 and 1.
CONFIDENCE = 0.95


def findings(curated: Curated) -> pd.DataFrame:
    """Return ``participant_id``, ``action`` (of `ACTIONS`) and ``code`` of every finding."""
    flags = curated.quality.assign(code=curated.quality["flags"].fillna("").str.split("; "))
    flags = flags.explode("code")
    tables = {
        "excluded": curated.exclusions.rename(columns={"reason": "code"}),
        "corrected": curated.corrections.rename(columns={"correction": "code"}),
        "flagged": flags[flags["code"] != ""],
    }
    found = [table[["participant_id", "code"]].assign(action=action)
             for action, table in tables.items()]  # fmt: skip
    return pd.concat(found, ignore_index=True).astype(str)


def confusion_table(
    faults: pd.DataFrame, found: pd.DataFrame, everyone: Collection[str]
) -> pd.DataFrame:
    """Cross-tabulate findings and faults, one row per kind of fault that occurs.

    Parameters
    ----------
    faults
        ``participant_id, fault, detail``, one fault each. The source of a `Fault.DUPLICATE_SCAN`
        counts as faulty too: the two cannot be distinguished.
    found
        Result of `findings`.
    everyone
        Identifiers of the export's participants.

    Returns
    -------
    pandas.DataFrame
        ``fault``; ``participants`` with it, thereof ``excluded``, ``corrected`` or ``flagged`` by
        one of its codes (the first action counts) and ``missed``; ``sensitivity`` with its
        interval; ``others`` without a fault of these codes, thereof ``false`` findings;
        ``specificity`` with its interval. In the row `SOUND` every finding is false.
    """
    lent = faults[faults["fault"] == Fault.DUPLICATE_SCAN]
    lent = lent.assign(participant_id=lent["detail"], detail="")
    faults = pd.concat([faults, lent], ignore_index=True)
    has = dict(zip(faults["participant_id"], map(Fault, faults["fault"]), strict=True))
    codes = {action: rows.groupby("participant_id")["code"].agg(set).to_dict()
             for action, rows in found.groupby("action")}  # fmt: skip

    def acted(name: str, wanted: Collection[str]) -> str | None:
        """Return the first action on a participant under one of the codes."""
        for action in ACTIONS:
            if not wanted.isdisjoint(codes.get(action, {}).get(name, ())):
                return action
        return None

    rows = []
    for fault in (fault for fault in Fault if fault in set(has.values())):
        wanted = CODES[fault]
        own = [acted(name, wanted) for name in everyone if has.get(name) is fault]
        others = [acted(name, wanted) for name in everyone
                  if name not in has or wanted.isdisjoint(CODES[has[name]])]  # fmt: skip
        rows.append(_row(fault, own, others))
    anything = set(chain.from_iterable(CODES.values())) | set(found["code"])
    sound = [acted(name, anything) for name in everyone if name not in has]
    rows.append(_row(SOUND, [], sound))
    return pd.DataFrame(rows)


def _row(fault: str, own: list[str | None], others: list[str | None]) -> dict:
    missed, false = own.count(None), len(others) - others.count(None)
    return {
        "fault": str(fault),
        "participants": len(own),
        **{action: own.count(action) for action in ACTIONS},
        "missed": missed,
        **share("sensitivity", len(own) - missed, len(own)),
        "others": len(others),
        "false": false,
        **share("specificity", len(others) - false, len(others)),
    }


def share(name: str, n: int, of: int) -> dict[str, float]:
    """Return a share with its interval, as columns; NaN for a denominator of 0."""
    if of == 0:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), float("nan"))
    low, high = stats.binomtest(n, of).proportion_ci(CONFIDENCE, method="wilson")
    return {name: n / of, f"{name}_low": low, f"{name}_high": high}


def compare_with_faults(curated: Curated, paths: RunPaths) -> pd.DataFrame | None:
    """Write ``confusion.csv`` if the faults are on record; else return None.

    They are not on record for real data or pseudonymised participants.
    """
    record, target = paths.truth / "faults.csv", paths.curated / "confusion.csv"
    names = {*curated.participants["participant_id"], *curated.exclusions["participant_id"]}
    faults = read_table(record) if record.exists() and curated.about["synthetic"] else None
    if faults is None or not set(faults["participant_id"]) <= names:
        target.unlink(missing_ok=True)
        return None
    table = confusion_table(faults, findings(curated), names)
    write_table(table, target)
    return table


def described(table: pd.DataFrame) -> pd.DataFrame:
    """Return a confusion table in words, for a notebook."""
    words = Fault.texts() | {SOUND: "nothing wrong"}
    shares = ["sensitivity", "specificity"]
    shown = table.assign(fault=table["fault"].map(words))
    counts = ["participants", *ACTIONS, "missed", "others", "false"]
    return shown[["fault", *counts, *shares]].round(3)
