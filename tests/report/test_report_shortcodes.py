import pytest

from muscle_study.report.errors import ReportError
from muscle_study.report.shortcodes import expand

NUMBERS = {"csa.mean": "37.9 cm²", "n": "12"}


def expand_text(folder, text, **others):
    for name, content in others.items():
        (folder / f"{name}.md").write_text(content, encoding="utf-8")
    path = folder / "page.qmd"
    path.write_text(text, encoding="utf-8")
    return expand(path, NUMBERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CSA was {{< var csa.mean >}}.", "CSA was 37.9 cm²."),
        ("**{{<var n>}}** and {{< var n >}}", "**12** and 12"),
        ("| a | {{< var n >}} |", "| a | 12 |"),
        ('<b title="{{< var n >}}">x</b>', '<b title="12">x</b>'),
        ("`{{< var n >}}`", "`12`"),
        ("nothing to replace", "nothing to replace"),
    ],
)
def test_variables_are_replaced_wherever_they_stand(tmp_path, text, expected):
    assert expand_text(tmp_path, text) == expected + "\n"


def test_includes_nest_and_hold_variables(tmp_path):
    text = expand_text(
        tmp_path,
        "before\n{{< include outer.md >}}\nafter",
        outer="outer\n{{< include inner.md >}}",
        inner="n = {{< var n >}}",
    )
    assert text == "before\nouter\nn = 12\nafter\n"


def test_page_break_becomes_a_div(tmp_path):
    assert "::: {.pagebreak}\n:::" in expand_text(tmp_path, "{{< pagebreak >}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n{{< var csa.sd >}}", r"page.qmd, line 2: the number 'csa.sd' is in no file"),
        ("{{< include gone.md >}}", r"page.qmd, line 1: the included file gone.md is missing"),
        ("{{< include page.qmd >}}", r"page.qmd includes itself"),
        ("{{< video x.mp4 >}}", r"\{\{< video x.mp4 >\}\} is not a shortcode"),
        ("see {{< include a.md >}}", r"is not a shortcode that can stand here"),
        ("an open {{< var n", r"\{\{< is not a shortcode"),
    ],
)
def test_what_cannot_be_replaced_is_named_with_its_place(tmp_path, text, message):
    with pytest.raises(ReportError, match=message):
        expand_text(tmp_path, text)


def test_all_missing_numbers_are_named_at_once(tmp_path):
    with pytest.raises(ReportError, match=r"(?s)'a\.b'.*'c\.d'"):
        expand_text(tmp_path, "{{< var a.b >}}\n{{< include i.md >}}", i="{{< var c.d >}}")
