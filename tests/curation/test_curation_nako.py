"""A NAKO-like export of the synthetic cohort is curated without loss."""

import zipfile

import numpy as np
import pytest

from muscle_study.cohort.export import make_cohort
from muscle_study.curation.sources.dicom_export import ZIP_NAME, NakoSource
from muscle_study.curation.sources.source import NOBODY
from muscle_study.imaging.volumes import load, to_ras
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.running.parameters import load as load_parameters

FOUR = ["water", "fat", "in_phase", "opposed_phase"]
ENDS = {"water": "W", "fat": "F", "in_phase": "in", "opposed_phase": "opp"}
GRID = [12.0, 12.0, 12.0]
#: Of the people who are made, those whose files a test has.
FEW = 2


def cohort_parameters(**changes):
    """Return the smallest cohort: four people on a coarse grid, without faults."""
    cohort = load_parameters("ci").cohort
    rates = dict.fromkeys(type(cohort.fault_rates).model_fields, 0.0)
    small = {
        "n_population": 4, "n_imaged": 4, "n_annotated": 3, "n_checked": 2, "format": "dicom",
        "export_stations": True, "check_grids_mm": [GRID],
        "imaging": cohort.imaging.model_dump() | {"spacing_mm": GRID},
        "fault_rates": rates,
    }  # fmt: skip
    return type(cohort)(**cohort.model_dump() | small | changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The same people as zips and as NIfTI files."""
    folders = {}
    for form in ("dicom", "nifti"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path_factory.mktemp(form)))
            paths = RunPaths("made")
            one = load_parameters("ci").cluster.model_copy(update={"workers": 1})
            make_cohort(paths, cohort_parameters(format=form), one)
            folders[form] = paths.raw
    return folders


@pytest.fixture(scope="module")
def names(made):
    """Two participants with reference labels."""
    labels = (made["dicom"] / "labels").iterdir()
    return sorted(path.name.partition(".")[0] for path in labels)[:FEW]


@pytest.fixture
def export(made, names, tmp_path):
    """Their part of the export, for a test to break."""
    folder = tmp_path / "export"
    for path in made["dicom"].rglob("*"):
        target = folder / path.relative_to(made["dicom"])
        if path.name.startswith(tuple(names)):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(path)
    head, *rows = (made["dicom"] / "participants.csv").read_text().splitlines()
    rows = [row for row in rows if row.startswith(tuple(names))]
    (folder / "participants.csv").write_text("\n".join([head, *rows]))
    return folder


@pytest.fixture
def run(curate, export):
    def curated(**changes):
        asked = {"layout": "nako", "source": str(export), "contrasts": FOUR, "spacing_mm": GRID}
        return curate(**asked | changes)

    return curated


def zips(export, participant, end):
    return export / "images" / f"{participant}_30_3D_GRE_TRA_{end}.zip"


def test_zips_give_the_volumes_that_nifti_gives(run, paths, made, names):
    after = run()
    assert after.exclusions.empty, after.exclusions.to_string()
    assert after.participants["participant_id"].tolist() == names
    assert after.participants["annotated"].all()
    for participant in names:
        for contrast in FOUR:
            expected = to_ras(load(made["nifti"] / f"images/{participant}/{contrast}.nii.gz"))
            curated = load(image_file(paths.curated / "images" / participant, contrast))
            assert curated.same_grid(expected)
            np.testing.assert_array_equal(curated.data, expected.data)


def test_the_table_is_read_with_its_codes(export):
    path = export / "participants.csv"
    head, first, second = path.read_text().splitlines()
    cells = dict(zip(head.split(";"), first.split(";"), strict=True))
    cells |= {"basis_age": "7777", "basis_sex": "2", "a_anthro_groe_q": "171,5"}
    path.write_text("\n".join([head, ";".join(cells.values()), second]))
    table = NakoSource(export, tuple(FOUR)).table()
    assert table[["sex", "height_cm"]].values.tolist()[0] == ["female", "171.5"]
    assert table["age_years"].isna().tolist() == [True, False]


def test_other_names_of_columns_are_told_by_the_parameters(export):
    path = export / "participants.csv"
    path.write_text(path.read_text().replace("a_anthro_gew_q", "gewicht"))
    with pytest.raises(ValueError, match=r"a_anthro_gew_q is missing.*curation.columns"):
        NakoSource(export, tuple(FOUR)).table()
    source = NakoSource(export, tuple(FOUR), columns=(("weight_kg", "gewicht"),))
    assert source.table()["weight_kg"].notna().all()


def test_every_series_is_in_the_inventory(run):
    files = run().inventory
    images = files[files["kind"] == "image"]
    per_person = images.groupby("participant_id")
    assert (per_person.size() == 4 * (1 + 4)).all()  # composed, and four stations
    assert images["used"].sum() == FEW * 4
    assert set(images.loc[images["used"], "extent"]) == {"whole"}
    assert (images.groupby("sha256")["file"].nunique() == 1).all()


def test_stations_alone_are_composed_to_the_whole_within_noise(run, export, paths, made):
    for path in (export / "images").glob("*COMPOSED*"):
        path.unlink()
    after = run()
    assert after.exclusions.empty, after.exclusions.to_string()
    noise = cohort_parameters().imaging.noise_sd * 250  # of pure muscle's stored signal
    for participant in after.participants["participant_id"]:
        for contrast in FOUR:
            whole = to_ras(load(made["nifti"] / f"images/{participant}/{contrast}.nii.gz"))
            ours = load(image_file(paths.curated / "images" / participant, contrast))
            assert ours.same_grid(whole)
            off = ours.data.astype(float) - whole.data
            # the synthetic scanner joins the opposed image with its sign, an export has none
            least = 2.0 if contrast == "opposed_phase" else 0.2
            assert np.sqrt((off**2).mean()) < least * noise


def test_a_missing_station_is_a_gap(run, export, names):
    for path in (export / "images").glob("*COMPOSED*"):
        path.unlink()
    # leave the second and third station out of the first participant's zips
    for end in ENDS.values():
        path = zips(export, names[0], end)
        with zipfile.ZipFile(path) as archive:
            kept = {n: archive.read(n) for n in archive.namelist() if n[1] not in "23"}
        path.unlink()
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in kept.items():
                archive.writestr(name, content)
    after = run()
    assert after.exclusions[["participant_id", "reason"]].values.tolist() == [
        [names[0], "station_gap"]
    ]


def test_names_of_files_do_not_matter(run, export, names):
    """Water's zip called fat, and the other way round: the private tag decides."""
    name = names[0]
    water, fat = (zips(export, name, f"{end}_COMPOSED") for end in "WF")
    aside = water.with_name("aside")
    water.rename(aside)
    fat.rename(water)
    aside.rename(fat)
    after = run()
    assert after.exclusions.empty
    rows = after.inventory.query("participant_id == @name and used and kind == 'image'")
    files = rows.set_index("contrast")["file"]
    assert files["water"].endswith("_F_COMPOSED.zip")
    assert files["fat"].endswith("_W_COMPOSED.zip")


def test_the_last_complete_repeat_is_taken(run, export, names):
    name = names[0]
    for end in ENDS.values():
        path = zips(export, name, f"{end}_COMPOSED")
        path.with_name(path.name.replace(".zip", "_2.zip")).hardlink_to(path)
    water = zips(export, name, "W_COMPOSED")
    water.with_name(water.name.replace(".zip", "_3.zip")).hardlink_to(water)
    images = run().inventory.query("participant_id == @name and used and kind == 'image'")
    assert images["file"].str.endswith("_COMPOSED_2.zip").all()
    assert (images["repeat"] == 2).all()


def test_a_truncated_zip_leaves_with_its_reason_unless_another_scan_is_whole(run, export, names):
    for name, ends in ((names[0], ["W_COMPOSED"]), (names[1], ["F_COMPOSED", "F"])):
        for end in ends:
            path = zips(export, name, end)
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content[: len(content) // 2])
    after = run()
    assert after.exclusions[["participant_id", "reason"]].values.tolist() == [
        [names[1], "unreadable_image"]
    ]
    rows = after.inventory.query("participant_id == @names[0] and kind == 'image'")
    assert rows.loc[rows["used"], "extent"].eq("station").all()
    assert rows["problem"].str.contains("unreadable_image").sum() == 1


def test_a_follow_up_is_not_the_baseline_and_other_files_are_nobodys(export, names):
    path = zips(export, names[0], "W_COMPOSED")
    path.with_name(path.name.replace("_30_", "_60_")).hardlink_to(path)
    (export / "images" / "README.zip").write_bytes(b"")
    files = NakoSource(export, tuple(FOUR)).image_files()
    assert set(files) == {*names, NOBODY}
    assert [path.name for path in files[NOBODY]] == ["README.zip"]
    assert not any("_60_" in path.name for path in files[names[0]])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("100129_30_3D_GRE_TRA_opp.zip", ("100129", "30", None)),
        ("100129_30_3D_GRE_TRA_W_COMPOSED_2.zip", ("100129", "30", "2")),
        ("100129_60_3D_GRE_TRA_in_3.zip", ("100129", "60", "3")),
    ],
)
def test_what_a_zips_name_says(name, parts):
    assert ZIP_NAME.fullmatch(name).group("participant", "examination", "repeat") == parts
