"""The same notebooks in Notebook 7, which uses other pages for the same widgets."""

from notebook_page import run_in_browser

NOTEBOOK = "02_batch_norm_mechanics.ipynb"


def test_a_slider_moves_in_notebook_7(server, chromium):
    with run_in_browser(server, chromium, NOTEBOOK, opened_by="notebooks") as opened:
        assert opened.page.locator("#jp-top-bar, .jp-NotebookSpacer").count()  # not JupyterLab's
        (slider,) = [one for one in opened.controls() if "push" in one.name]
        picture = opened.kernel.ask(f"picture_of({slider.demo!r})")
        before = opened.settle()
        slider.by_keyboard()
        slider.by_mouse()
        after = opened.settle()
        assert after[picture] != before[picture]
        assert opened.all_errors() == []
