"""The notebook runs from top to bottom."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.mark.slow
def test_the_quickstart_runs():
    notebook = nbformat.read(EXAMPLES / "quickstart.ipynb", as_version=4)
    place = {"metadata": {"path": str(EXAMPLES)}}
    NotebookClient(notebook, timeout=600, resources=place).execute()
