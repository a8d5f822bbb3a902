"""Scans with faults of body, images or labels."""

from collections.abc import Callable

from muscle_study.cohort.anatomy.sampling import Body
from muscle_study.cohort.faults import affines, dixon, field_of_view, implants, voxels
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.protocol.faults import Fault, Problem

#: Faults of a first scan that is repeated, with their details.
FIRST_SCAN = {Fault.SEVERE_MOTION: "20", Fault.MISSING_CONTRAST: "fat", Fault.SWAP_WHOLE: ""}

#: Suffix of the identifier of a second scan.
SECOND = "_2"

#: Faults of images and labels, as functions of a scan and the fault's detail.
OF_IMAGES: dict[Fault, Callable[[Scan, str], Scan]] = {
    Fault.SWAP_WHOLE: lambda scan, _: dixon.swap_whole(scan),
    Fault.SWAP_STATION: lambda scan, number: dixon.swap_station(scan, int(number)),
    Fault.SWAP_SIDE: dixon.swap_side,
    Fault.CUT_TOP: lambda scan, mm: field_of_view.cut_top(scan, float(mm)),
    Fault.CUT_BOTTOM: lambda scan, mm: field_of_view.cut_bottom(scan, float(mm)),
    Fault.CUT_SIDES: lambda scan, mm: field_of_view.cut_sides(scan, float(mm)),
    Fault.IDENTITY_AFFINE: lambda scan, _: affines.identity_affine(scan),
    Fault.FLIPPED_AFFINE: affines.flipped_affine,
    Fault.MISSING_CONTRAST: voxels.without_contrast,
    Fault.MISLABELLED_CONTRAST: lambda scan, pair: voxels.mislabelled(scan, *pair.split("+")),
    Fault.NO_IMAGES: lambda scan, _: voxels.without_images(scan),
    Fault.NAN_VOXELS: voxels.nan_voxels,
    Fault.WRONG_SHAPE: voxels.wrong_shape,
    Fault.UNKNOWN_LABEL: lambda scan, _: voxels.unknown_label(scan),
}


def take_scans(
    body: Body,
    problem: Problem | None,
    scale: float,
    scan: Callable[[Body, float | None], Scan],
) -> dict[str, Scan]:
    """Scan a participant with a fault, or without; faults of files and table change nothing.

    Parameters
    ----------
    body
        The participant's body.
    problem
        The fault; None for none.
    scale
        Height relative to 175 cm.
    scan
        Function that scans a body with a given movement (mm), or with usual movement for None.

    Returns
    -------
    dict
        Scans by the suffix of the identifier: ``""`` and, of a repeated scan, `SECOND`.
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
    if problem.fault is Fault.IMPLANT_HIP:
        return implants.with_hip_implant(body, problem.detail, scale)
    if problem.fault is Fault.IMPLANT_SPINE:
        return implants.with_spine_implant(body, scale)
    return body


def break_scan(scan: Scan, problem: Problem, body: Body) -> Scan:
    """Return the scan of a body from `break_body` with the fault, if it is of images or labels."""
    if problem.fault in (Fault.IMPLANT_HIP, Fault.IMPLANT_SPINE):
        return implants.disturb_around_metal(scan, body)
    change = OF_IMAGES.get(problem.fault)
    return scan if change is None else change(scan, problem.detail)
