"""`make all` in a large run that is up to date. `make bench` measures it at the paper's size."""

from benchmarks.idle import measure_idle


def test_make_without_work_does_not_grow_with_the_cohort():
    # a tenth of the cohort, so that the test is quick; of processors, since others use them too.
    # The bar is 10 s by the clock for all of it, most of which is starting Python twice.
    found = measure_idle(2781)
    assert (found["files"] == 2781 * 11).all()
    assert found["processor_seconds"].min() < 5
