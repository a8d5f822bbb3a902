"""Stations overlap, cover everything, and join without a seam."""

import itertools

import numpy as np
import pytest

from muscle_study.cohort.scanner.stations import compose, edge_profile, station_slices


@pytest.mark.parametrize(("slices", "stations"), [(156, 4), (94, 4), (58, 4), (58, 2), (30, 1)])
def test_stations_cover_every_slice_and_overlap(slices, stations):
    places = station_slices(slices, stations)
    assert len(places) == stations
    assert [places[0].stop, places[-1].start] == [slices, 0]
    assert len({place.stop - place.start for place in places}) == 1
    for upper, lower in itertools.pairwise(places):
        assert lower.start < upper.start < lower.stop < upper.stop


def test_too_many_stations_are_refused():
    with pytest.raises(ValueError, match="take fewer stations"):
        station_slices(12, 8)


def test_edges_are_darkest():
    profile = edge_profile(40, 3.0)
    assert profile.argmax() in (19, 20)
    assert profile[0] == profile[-1] == profile.min() < 0.85
    assert profile[20] == pytest.approx(1.0, abs=1e-3)


def test_composed_stations_are_the_whole():
    rng = np.random.default_rng(0)
    whole = rng.uniform(1, 2, (60, 4, 5)).astype(np.float32)
    places = station_slices(60, 3)
    gains = (1.0, 0.8, 1.3)
    slabs = [[gain * whole[place], -gain * whole[place]] for gain, place in zip(gains, places,
             strict=True)]  # fmt: skip
    first, second = compose(slabs, places)
    # one brightness is left to choose: that of the mean station
    np.testing.assert_allclose(first / whole, first[0, 0, 0] / whole[0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(second, -first, rtol=1e-6)
