"""The result of a task: a participant's record, or the reason of failure."""

import errno
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from muscle_study.protocol.exclusions import MAY_PASS, Excluded, Reason

#: Write errors that every participant will meet: disk full, quota exceeded, read-only.
FATAL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

#: Reasons worth retrying.
WORTH_RETRYING = MAY_PASS | {Reason.UNEXPECTED_ERROR}

#: Ends the message of an error that stops the map.
REMEDY = "put that right, then run again"


class MapStoppedError(RuntimeError):
    """A cause that concerns all participants. Finished work is kept for the next run."""


@dataclass(frozen=True)
class TaskResult:
    """Result of one participant's task, with either `record` or `reason`.

    Parameters
    ----------
    participant_id
        Identifier of the participant.
    record
        Return value of the function.
    reason
        Why there is no record.
    detail
        Particulars of the reason, for a data manager.
    stops
        Whether the cause concerns all participants, so that the map must stop.
    """

    participant_id: str
    record: dict | None = None
    reason: Reason | None = None
    detail: str = ""
    stops: bool = False


def attempt(function: Callable[[Any], dict], participant_id: str, task: Any) -> TaskResult:
    """Call `function` with a task; convert whatever it raises to a reason."""
    try:
        return TaskResult(participant_id, record=function(task))
    except Excluded as excluded:
        return TaskResult(participant_id, reason=excluded.reason, detail=excluded.detail)
    except OSError as error:
        # without the file's name, which may hold a person's in an export under pseudonyms
        what = error.strerror or type(error).__name__
        stops = error.errno in FATAL_ERRNOS
        detail = f"{what} ({_where(error)})"
        return TaskResult(participant_id, None, Reason.IO_ERROR, detail, stops)
    except Exception as error:
        # One participant's files must not stop the other 30,000, whatever they provoke.
        # The GPU's error is torch's; it is compared by name since torch loads slowly.
        full = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        reason = Reason.MEMORY_LIMIT if full else Reason.UNEXPECTED_ERROR
        detail = f"{type(error).__name__}: {error} ({_where(error)})"
        return TaskResult(participant_id, reason=reason, detail=detail)


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.name}, line {last.lineno}"
