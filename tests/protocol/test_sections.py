from pydantic import Field

from muscle_study.protocol.sections import Section


class Group(Section):
    edges_years: list[float] = Field(description="Lower edges, years")


class Study(Section):
    seed: int = Field(description="Start of the random draws")
    group: Group
    groups: list[Group]
    absent: Group | None = Field(default=None, description="Another group")


def test_rows_tell_each_key_with_its_value_and_meaning():
    group = Group(edges_years=[30, 40])
    assert Study(seed=1, group=group, groups=[group]).rows() == [
        ("seed", 1, "Start of the random draws"),
        ("group.edges_years", [30, 40], "Lower edges, years"),
        ("groups.0.edges_years", [30, 40], "Lower edges, years"),
        ("absent", None, "Another group"),
    ]
