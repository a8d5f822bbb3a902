import pytest
from pydantic import ValidationError

from muscle_study.running.parameters import load


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation_fraction": 0.9}, "is more than 1"),
        ({"layout": "totalsegmentator", "source": "x"}, r"contrasts must be \[image\]"),
        ({"layout": "totalsegmentator", "contrasts": ["image"]}, "SET="),
        ({"layout": "pacs"}, "'nako'"),
        ({"layout": "nako", "contrasts": ["watr"]}, "layout nako has water, fat, in_phase"),
        ({"layout": "dicom"}, "layout dicom needs source"),
        ({"columns": {"weight": "kg"}}, "weight is none of participant_id, sex"),
    ],
)
def test_wrong_parameters_are_explained(make_parameters, changes, message):
    with pytest.raises(ValidationError, match=message):
        make_parameters(**changes)


def test_public_data_set_has_a_parameter_file_that_loads():
    run = load("totalsegmentator", ['curation.source="/somewhere"'])
    assert run.cohort is None
    assert run.curation.source == "/somewhere"
    assert run.training.channels == run.curation.contrasts == ["image"]
