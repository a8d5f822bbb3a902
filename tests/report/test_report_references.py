"""The bibliography: each entry once, complete, and cited."""

import re

from muscle_study.protocol.paths import MANUSCRIPT

ENTRIES = re.findall(
    r"^@(\w+)\{(\w+),(.*?)^\}",
    (MANUSCRIPT / "references.bib").read_text(),
    re.MULTILINE | re.DOTALL,
)


def test_each_reference_is_there_once_and_complete():
    keys = [key for _, key, _ in ENTRIES]
    assert len(set(keys)) == len(keys) > 20
    for kind, key, fields in ENTRIES:
        where = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}[kind]
        for field in ("author", "title", "year", "doi", where):
            assert re.search(rf"\b{field} = \{{", fields), f"{key} has no {field}"


def test_what_is_cited_is_what_is_listed():
    sources = [MANUSCRIPT / "manuscript.qmd", *(MANUSCRIPT / "parts").rglob("*.md")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    cited = set(re.findall(r"@([a-z]+\d{4})\b", text))
    assert cited == {key for _, key, _ in ENTRIES}
