"""The pages that a reader meets: links lead somewhere, and the README is short."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import xcos_tf
from xcos_tf.cli.main import build_parser
from xcos_tf.models.preset_folder import BUNDLED

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    x for x in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("configs/*.md"))
)


def anchors(page: Path) -> set[str]:
    """Return where a link into a page may lead, as GitHub names its headings."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", x.lower()).replace(" ", "-") for x in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page):
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:", link):
            continue
        # On GitHub, a README's relative link may lead to the repository's own runs.
        link = re.sub(r"^../../actions/(workflows/[^/]+).*", r".github/\1", link)
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_the_project_that_is_named_is_there(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/])(?:configs|docs|examples|tests|tools|xcos_tf)/[\w/.-]*\w", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_command_understands_every_line_of_the_pages():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", text, re.S))
    lines = re.findall(r"(?:^|&& )(?:\.venv/bin/)?xcos ([^&>\n]*)", blocks, re.M)
    assert len(lines) > 25
    parser = build_parser()
    for line in lines:
        words = shlex.split(line, comments=True)
        if "--print-completion" not in words:  # which leaves
            assert parser.parse_args(words).command == words[0]


def test_the_readme_can_be_read_to_the_end():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_citation_has_the_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {xcos_tf.__version__}\n" in citation


def test_the_package_is_a_command():
    words = [sys.executable, "-m", "xcos_tf", "--version"]
    assert subprocess.run(words, capture_output=True, text=True).stdout.startswith("xcos ")


@pytest.mark.parametrize(
    "preset", sorted(BUNDLED.glob("*/config.json")), ids=lambda x: x.parent.name
)
def test_every_preset_says_what_it_is_for(preset):
    config = json.loads(preset.read_text(encoding="utf-8"))
    assert config["name"] in (ROOT / config["card"]["page"]).read_text(encoding="utf-8")
    assert config["card"].keys() >= {"intended_use", "not_for", "terms", "thresholds", "bias"}


@pytest.mark.slow
def test_the_lines_on_training_in_python_run(tmp_path, monkeypatch, random):
    import tensorflow as tf

    page = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    [lines] = re.findall(r"```python\n(.*?)```", page, re.S)
    shorter = lines.replace("epochs=20", "epochs=1").replace("[...]", "[]")
    assert shorter.count("epochs=1,") == shorter.count("[]") == 1
    monkeypatch.chdir(tmp_path)
    images = random.uniform(-1, 1, (4, 112, 112, 3)).astype("float32")
    faces = tf.data.Dataset.from_tensors((images, [0, 0, 1, 1]))
    exec(shorter, {"batches": faces, "others": faces})
    assert xcos_tf.Verifier.from_preset(tmp_path / "my-preset").explains
