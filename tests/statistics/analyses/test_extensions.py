from muscle_study.statistics.analyses.extensions.splines import fit_splines, nonlinearity


def test_a_run_of_few_people_has_no_tests_for_nonlinearity(study):
    table = nonlinearity(fit_splines(study))
    assert len(table) == 8
    assert table["p"].isna().all()
