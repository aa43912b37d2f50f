"""What is read is never run: no pickles, no eval, no shell; servers ask for their token."""

import ast
import json
import re

from nbformat import v4
from test_imports import imported_names

from helpers.execute import ROOT

RUN_WHAT_THEY_READ = re.compile(
    r"(pickle|marshal|shelve|dill|cloudpickle)\b.*|exec|eval|(shell|allow_pickle)=True"
    r"|os\.(system|popen|exec\w+|spawn\w+)|subprocess\.get\w+|(joblib|torch|yaml)\.load"
)
# In a confined process, see helpers/grade; and on an exercise's own source, with a mistake of ours.
ALLOWED = {"helpers/grade/handed_in.py": {"exec"}, "helpers/page/exercise.py": {"exec"}}


def sources():
    """Yield (path, source) of all that a user of the course runs."""
    for folder in ("helpers", "data", "docs", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = v4.reads(path.read_text(encoding="utf-8")).cells
        code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
        yield path.relative_to(ROOT).as_posix(), code


def names_in(source):
    """Yield what a source imports and calls, and what it tells calls to be careless with."""
    yield from imported_names(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
            yield from (f"{one.arg}={ast.unparse(one.value)}" for one in node.keywords)


def test_what_is_read_is_not_run():
    is_one = RUN_WHAT_THEY_READ.fullmatch
    found = {path: {*filter(is_one, names_in(source))} for path, source in sources()}
    assert {path: names for path, names in found.items() if names} == ALLOWED


def test_servers_ask_for_their_token():
    assert json.loads((ROOT / "voila.json").read_text())["Voila"]["auto_token"] is True
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".ci").iterdir()]
    for path in documents:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"--\S*(token|password|allow_origin|xsrf|\bip)\b", text), path
