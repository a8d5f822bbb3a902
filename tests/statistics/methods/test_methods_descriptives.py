import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.methods.descriptives import describe


def test_describe_hides_a_few():
    twelve = pd.Series([*np.arange(1.0, 13.0), np.nan])
    assert describe(twelve, 3) == pytest.approx(
        {"mean": 6.5, "sd": np.sqrt(13), "median": 6.5, "q1": 3.75, "q3": 9.25}
    )
    # two of eleven cannot be told from a median, but from a quartile
    eleven = describe(twelve[:11], 3)
    assert eleven["median"] == 6
    assert np.isnan([eleven["q1"], eleven["q3"]]).all()
    five = describe(twelve[:5], 3)
    assert five["mean"] == 3
    assert np.isnan(five["median"])
    assert np.isnan(describe(twelve[:2], 3)["mean"])
