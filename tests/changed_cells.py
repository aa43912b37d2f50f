"""Runs some cells of a notebook as a learner would who has changed a line of them."""

import ast
import contextlib
import io
from types import SimpleNamespace

import nbformat

from helpers.execute import ROOT
from helpers.page.prediction import CoverAnswers


def run_cells(notebook, cells, changes=()):
    """Run the code cells with these ids, in this order, with `changes`, {old text: new text}.

    Each old text must stand in one of the cells. Returns `printed`, all that they print; `shown`,
    what stands on their last lines, as objects; `said`, the text/plain of these; and `names`, what
    they leave behind.
    """
    path = next((ROOT / "notebooks").glob(f"{notebook}_*.ipynb"))
    sources = {cell.id: cell.source for cell in nbformat.read(path, 4).cells}
    texts = [sources[name] for name in cells]
    for old, new in dict(changes).items():
        assert any(old in text for text in texts), f"{old!r} stands in none of {cells}"
        texts = [text.replace(old, new) for text in texts]
    names, shown, printed = {}, [], io.StringIO()
    with contextlib.redirect_stdout(printed):
        for text in texts:
            *before, last = ast.parse(text).body
            if isinstance(last, ast.Expr):
                exec(compile(ast.Module(before, []), notebook, "exec"), names)
                shown.append(eval(compile(ast.Expression(last.value), notebook, "eval"), names))
            else:
                exec(compile(text, notebook, "exec"), names)
    shown = [one for one in shown if hasattr(one, "_repr_mimebundle_")]
    shown = [one for one in shown if not isinstance(one, CoverAnswers)]
    said = "\n".join(one._repr_mimebundle_()["text/plain"] for one in shown)
    return SimpleNamespace(printed=printed.getvalue(), shown=shown, said=said, names=names)
