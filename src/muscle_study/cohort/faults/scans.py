"""From a participant and a fault to what is scanned: one scan, or two."""

from collections.abc import Callable

from muscle_study.cohort.anatomy.sampling import Body
from muscle_study.cohort.faults import affines, dixon, field_of_view, implants, voxels
from muscle_study.cohort.faults.kinds import Fault, Problem
from muscle_study.cohort.scanner.scan import Scan

#: What a first scan was like that had to be repeated: each fault's detail.
FIRST_SCAN = {Fault.SEVERE_MOTION: "20", Fault.MISSING_CONTRAST: "fat", Fault.SWAP_WHOLE: ""}

#: Added to the identifier of a second scan.
SECOND = "_2"


def take_scans(
    body: Body,
    problem: Problem | None,
    scale: float,
    scan: Callable[[Body, float | None], Scan],
) -> dict[str, Scan]:
    """Scan a participant with a fault, or without.

    Faults of files and of the table change nothing here.

    Parameters
    ----------
    body
        The participant's.
    problem
        The fault; None for none.
    scale
        Height over 175 cm.
    scan
        Images a body with a given movement (mm), or, for None, a usual one.

    Returns
    -------
    dict
        By what is added to the identifier: ``""`` and, where the scan was repeated, `SECOND`.
    """
    if problem is None:
        return {"": scan(body, None)}
    if problem.fault is Fault.REPEAT_SCAN:
        fault = Fault(problem.detail)
        first = take_scans(body, Problem(fault, FIRST_SCAN[fault]), scale, scan)
        return {**first, SECOND: scan(body, None)}
    if problem.fault is Fault.SEVERE_MOTION:
        return {"": scan(body, float(problem.detail))}
    body = break_body(body, problem, scale)
    return {"": break_scan(scan(body, None), problem, body)}


def break_body(body: Body, problem: Problem, scale: float) -> Body:
    """Return the body with an implant, if that is the fault."""
    match problem.fault:
        case Fault.IMPLANT_HIP:
            return implants.with_hip_implant(body, problem.detail, scale)
        case Fault.IMPLANT_SPINE:
            return implants.with_spine_implant(body, scale)
    return body


def break_scan(scan: Scan, problem: Problem, body: Body) -> Scan:
    """Return the scan with the fault, if it is one of images or labels.

    Parameters
    ----------
    scan
        Of `body`.
    problem
        The fault.
    body
        As `break_body` returned it.
    """
    detail = problem.detail
    match problem.fault:
        case Fault.SWAP_WHOLE:
            return dixon.swap_whole(scan)
        case Fault.SWAP_STATION:
            return dixon.swap_station(scan, int(detail))
        case Fault.SWAP_SIDE:
            return dixon.swap_side(scan, detail)
        case Fault.CUT_TOP:
            return field_of_view.cut_top(scan, float(detail))
        case Fault.CUT_BOTTOM:
            return field_of_view.cut_bottom(scan, float(detail))
        case Fault.CUT_SIDES:
            return field_of_view.cut_sides(scan, float(detail))
        case Fault.IMPLANT_HIP | Fault.IMPLANT_SPINE:
            return implants.disturb_around_metal(scan, body)
        case Fault.IDENTITY_AFFINE:
            return affines.identity_affine(scan)
        case Fault.FLIPPED_AFFINE:
            return affines.flipped_affine(scan, detail)
        case Fault.MISSING_CONTRAST:
            return voxels.without_contrast(scan, detail)
        case Fault.MISLABELLED_CONTRAST:
            return voxels.mislabelled(scan, *detail.split("+"))
        case Fault.NO_IMAGES:
            return voxels.without_images(scan)
        case Fault.NAN_VOXELS:
            return voxels.nan_voxels(scan, detail)
        case Fault.WRONG_SHAPE:
            return voxels.wrong_shape(scan, detail)
        case Fault.UNKNOWN_LABEL:
            return voxels.unknown_label(scan)
    return scan
