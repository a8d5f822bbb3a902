"""What comes of work on one participant: a record, or why there is none."""

import errno
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from muscle_study.protocol.exclusions import MAY_PASS, Excluded, Reason

#: Errors of writing that no other participant will be spared.
FOR_EVERYBODY = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

#: Reasons that another attempt need not find again.
NOT_OF_DATA = MAY_PASS | {Reason.UNEXPECTED_ERROR}

#: What is to be done about a cause that stops the map.
TO_GO_ON = "put that right, then run again"


class MapStoppedError(RuntimeError):
    """A cause that concerns everybody. What is finished is kept, and the next run goes on."""


@dataclass(frozen=True)
class Outcome:
    """Of one participant; `record` or `reason` is given.

    Parameters
    ----------
    participant_id
        Whose.
    record
        What the work returned.
    reason
        Why there is no record.
    detail
        What a data manager needs to look it up.
    stops
        Whether the cause concerns everybody, so that going on makes no sense.
    """

    participant_id: str
    record: dict | None = None
    reason: Reason | None = None
    detail: str = ""
    stops: bool = False


def attempt(function: Callable[[Any], dict], participant_id: str, task: Any) -> Outcome:
    """Call `function` for one participant; whatever it raises becomes a reason."""
    try:
        return Outcome(participant_id, record=function(task))
    except Excluded as excluded:
        return Outcome(participant_id, reason=excluded.reason, detail=excluded.detail)
    except OSError as error:
        # without the file's name, which may hold a person's in an export under pseudonyms
        what = error.strerror or type(error).__name__
        stops = error.errno in FOR_EVERYBODY
        return Outcome(participant_id, None, Reason.IO_ERROR, f"{what} ({_where(error)})", stops)
    except Exception as error:
        # Whatever one participant's files provoke must not stop the other 30,000.
        # By its name: a GPU's is torch's own, and torch loads slowly.
        full = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        reason = Reason.MEMORY_LIMIT if full else Reason.UNEXPECTED_ERROR
        detail = f"{type(error).__name__}: {error} ({_where(error)})"
        return Outcome(participant_id, reason=reason, detail=detail)


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.name}, line {last.lineno}"
