"""The offline look-up of a centile: a form, the models' coefficients and a script."""

import json
from html import escape
from pathlib import Path
from string import Template

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import MANUSCRIPT

TEMPLATE = MANUSCRIPT / "style" / "lookup.html"

NOTICES = {
    True: "The cohort is synthetic: the answer says nothing about a person.",
    False: "The answer is about the cohort of this run and is no medical advice.",
}


def lookup(models: Path) -> str:
    """Return the look-up as a raw block of Markdown; a comment for a run without centiles.

    Parameters
    ----------
    models
        Published ``centile_model.json``.
    """
    if not models.exists():
        return f"<!-- no {models.name} -->\n"
    file = read_json(models)
    if not file["models"]:
        return "<!-- too few participants for centiles -->\n"
    options = "".join(
        f'<option value="{name}">{escape(measure["name"])}</option>'
        for name, measure in file["measures"].items()
    )
    # a script ends at the first "</", wherever it stands
    data = json.dumps(file, ensure_ascii=False).replace("</", "<\\/")
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    html = template.substitute(notice=NOTICES[file["synthetic"]], measures=options, models=data)
    return f"```{{=html}}\n{html}```\n"
