"""`make all` in a large run that is up to date. `make bench` measures it at the paper's size."""

from benchmarks.idle import idle_seconds


def test_make_without_work_does_not_grow_with_the_cohort():
    # the bar is 10 s for 27,805; this is a tenth, so that the test is quick
    seconds, files = idle_seconds(2781)
    assert files == 2781 * 11
    assert min(seconds) < 10
