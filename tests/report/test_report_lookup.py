import json
import re

from muscle_study.protocol.files import write_json
from muscle_study.report.lookup import lookup

FILE = {
    "synthetic": True,
    "measures": {"csa": {"name": "CSA <total>", "unit": "cm²"}},
    "models": [{"measure": "csa", "note": "</script>"}],
}


def test_the_models_are_embedded_whole(tmp_path):
    write_json(FILE, tmp_path / "m.json")
    text = lookup(tmp_path / "m.json")
    assert text.startswith("```{=html}\n") and text.endswith("```\n")
    (data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert json.loads(data) == FILE
    assert "CSA &lt;total&gt;" in text
    assert "says nothing about a person" in text


def test_nothing_is_fetched(tmp_path):
    write_json(FILE, tmp_path / "m.json")
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|https?://", lookup(tmp_path / "m.json"))


def test_without_models_there_is_no_form(tmp_path):
    assert "<form" not in lookup(tmp_path / "missing.json")
    write_json(FILE | {"models": []}, tmp_path / "m.json")
    assert "too few" in lookup(tmp_path / "m.json")
