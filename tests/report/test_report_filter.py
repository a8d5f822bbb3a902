"""The Lua filter and Pandoc reproduce Quarto's output for a small document."""

import re

import pytest
import typst

from muscle_study.protocol.paths import MANUSCRIPT
from muscle_study.report.check import html_text
from muscle_study.report.errors import ReportError
from muscle_study.report.fallback import PAPER_FILTER, pandoc

METADATA = """
title: T
bibliography: references.bib
link-citations: true
"""

DOCUMENT = """
# First {#sec-first}

See @fig-b, @tbl-t, @sec-deep, [-@fig-a], [@fig-a; @tbl-t], @fig-two-y and [@kiefer2026].

## Deep {#sec-deep}

# Aside {.unnumbered}

::: {#fig-a}
![](x.svg){fig-alt="Alternative words"}

Caption with *words* and [a link](page.html).
:::

::: {#fig-b}
![](x.svg)

Second.
:::

::: {#tbl-t}
| A | B |
|:--|--:|
| 1 | 2 |

A table.
:::

::: {#fig-two layout-ncol=2}
![Left](x.svg){#fig-two-x}

![Right](x.svg){#fig-two-y}

Two of them.
:::

::: {.callout-warning title="Mind this"}
Body.
:::

::: {.callout-note}
## Headed
Other body.
:::

::: {.callout-tip collapse="true"}
Folded.
:::

::: {.content-visible when-format="html"}
only in HTML
:::

::: {.content-visible when-format="typst"}
only in Typst
:::

::: {.content-hidden when-format="typst"}
hidden in Typst
:::

::: {.pagebreak}
:::

# Last {#sec-last}
"""

OPTIONS = {"html": ["--to=html5", "--embed-resources"], "typst": ["--to=typst"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "_quarto.yml").write_text(METADATA)
    (folder / "x.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><path d="M0 0 9 9"/></svg>'
    )
    (folder / "references.bib").write_bytes((MANUSCRIPT / "references.bib").read_bytes())
    return folder


@pytest.fixture(scope="module")
def html(folder):
    return pandoc(DOCUMENT, folder, "", OPTIONS["html"])


@pytest.fixture(scope="module")
def source(folder):
    return pandoc(DOCUMENT, folder, "", OPTIONS["typst"])


def words(html):
    return " ".join(html_text(html).split())


def test_a_number_is_a_link_on_the_page_and_plain_on_paper(folder):
    text = '[37.9](notebooks/a.html#b "Computed in b"){.number}'
    page = pandoc(text, folder, "", OPTIONS["html"])
    paper = pandoc(text, folder, "", [*OPTIONS["typst"], f"--lua-filter={PAPER_FILTER}"])
    assert '<a href="notebooks/a.html#b" class="number"' in page
    assert "37.9" in paper and "notebooks" not in paper


def test_references_print_word_and_number_in_order(html):
    sentence = re.search(r"<p>See (.*?) and ", html, re.S)[1]
    printed = " ".join(re.sub("<[^>]*>", "", sentence).replace("\u00a0", " ").split())
    assert printed == "Figure 2, Table 1, Section 1.1, 1, Figure 1, Table 1, Figure 3 (b)"


def test_references_lead_to_their_floats(html):
    for target in ("fig-a", "fig-b", "tbl-t", "fig-two-y", "sec-deep"):
        assert f'href="#{target}"' in html
        assert f'id="{target}"' in html


def test_captions_begin_with_word_and_number(html):
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html, re.S)
    text = [" ".join(re.sub("<[^>]*>", "", caption).split()) for caption in captions]
    assert text == [
        "Figure 1: Caption with words and a link.",
        "Figure 2: Second.",
        "Table 1: A table.",
        "(a) Left",
        "(b) Right",
        "Figure 3: Two of them.",
    ]


def test_table_caption_stands_above_and_figure_caption_below(html):
    assert html.index("A table.") < html.index("<table")
    assert html.index("<img") < html.index("Figure\u00a01:")


def test_alternative_text_reaches_the_page(html, source):
    assert "Alternative words" in html
    assert 'alt: "Alternative words"' in source


def test_callouts_have_their_titles(html, source):
    text = words(html)
    for words_ in ("Mind this", "Headed", "Tip", "Folded."):
        assert words_ in text
    assert re.search(r"<details class=\"callout callout-tip\">", html)
    assert '#callout("warning"' in source


@pytest.mark.parametrize(
    ("words_", "in_html", "in_typst"),
    [
        ("only in HTML", True, False),
        ("only in Typst", False, True),
        ("hidden in Typst", True, False),
    ],
)
def test_content_for_one_format_is_in_that_one_alone(html, source, words_, in_html, in_typst):
    assert (words_ in html, words_ in source) == (in_html, in_typst)


def test_citation_is_resolved_and_listed(html, source):
    for text in (html, source):
        assert "10.3390/diagnostics16020205" in text
        assert "@kiefer2026" not in text


def test_typst_source_compiles_to_a_pdf(source, folder):
    # the template's callout is not in Pandoc's own one
    path = folder / "page.typ"
    path.write_text("#let callout(kind, title, body) = [#title #body]\n" + source)
    assert typst.compile(str(path)).startswith(b"%PDF")
    assert "#pagebreak" in source


def test_unknown_reference_is_marked_as_quarto_marks_it(folder):
    assert "?@fig-gone" in pandoc("See @fig-gone.", folder, "", OPTIONS["html"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[@nobody1999]", "nobody1999"),
        ("![](gone.svg)", "gone.svg"),
        ("::: {#fig-x}\n![](x.svg)\n:::", "fig-x has no caption"),
    ],
)
def test_what_pandoc_cannot_resolve_stops_the_render(folder, text, message):
    with pytest.raises(ReportError, match=message):
        pandoc(text, folder, "", OPTIONS["html"])
