"""Quarto's shortcodes ``var``, ``include`` and ``pagebreak`` as one pass over the text.

Both renderers start here: the pass names what is missing before any work, with file and line;
Quarto would print ``?var:name`` into the page and exit with success.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from muscle_study.report.errors import ReportError

SHORTCODE = re.compile(r"\{\{<\s*(?P<name>\w+)(?:\s+(?P<argument>[^\s>]+))?\s*>\}\}")
PICTURE = re.compile(r"!\[[^\]]*\]\((?P<file>[^)]+)\)")
ANY_SHORTCODE = re.compile(r"\{\{<.*?>\}\}|\{\{<")

PAGE_BREAK = "\n::: {.pagebreak}\n:::\n"


def expand(path: Path, variables: Mapping[str, str]) -> str:
    """Return the text of `path` with its shortcodes replaced.

    Parameters
    ----------
    path
        A Markdown file. Includes are looked for beside the file that names them.
    variables
        Dotted name to text.

    Raises
    ------
    ReportError
        Listing every variable, include and unknown shortcode that cannot be replaced, with
        the file and line of each.
    """
    problems: list[str] = []
    text = "\n".join(_lines(path, variables, problems, including=())) + "\n"
    if problems:
        raise ReportError("the manuscript cannot be rendered:\n  " + "\n  ".join(problems))
    return text


def _lines(
    path: Path, variables: Mapping[str, str], problems: list[str], including: tuple[Path, ...]
) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path.name}, line {number}"
        alone = SHORTCODE.fullmatch(line.strip())
        if alone and alone["name"] == "include":
            included = path.parent / str(alone["argument"])
            if included in (*including, path):
                problems.append(f"{where}: {included.name} includes itself")
            elif not included.is_file():
                problems.append(f"{where}: the included file {alone['argument']} is missing")
            else:
                yield from _lines(included, variables, problems, (*including, path))
        elif alone and alone["name"] == "pagebreak":
            yield PAGE_BREAK
        else:
            pictures = (found["file"] for found in PICTURE.finditer(line))
            problems += [
                f"{where}: the picture {file} is missing"
                for file in pictures
                if not (path.parent / file).is_file()
            ]
            yield _replace_variables(line, where, variables, problems)


def _replace_variables(
    line: str, where: str, variables: Mapping[str, str], problems: list[str]
) -> str:
    def value(match: re.Match) -> str:
        known = SHORTCODE.fullmatch(match[0])
        if not known or known["name"] != "var":
            problems.append(f"{where}: {match[0]} is not a shortcode that can stand here")
        elif known["argument"] not in variables:
            problems.append(
                f"{where}: the number {known['argument']!r} is in no file of numbers/; "
                "an analysis publishes it"
            )
        else:
            return variables[known["argument"]]
        return match[0]

    return ANY_SHORTCODE.sub(value, line)
