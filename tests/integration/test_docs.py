"""The documentation runs, its links lead somewhere, and its tables are complete.

The `python` blocks of a page run in order, in one namespace and an empty folder; a block that starts with the name of a
file, such as `# src/...`, is that file instead. What the page's pyproject.toml describes is installed, and for pages to
authors their example plugin is. Functions named `test_...` are called at the end of the page. Worked examples, which
train for longer, have a test of their own.
"""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from sbicore.registry import plugins, resolve
from sbicore.training import FitOptions

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in [ROOT / "README.md", *sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])]
}
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"^```(?:python|toml)\n# (\S+\.(?:py|toml))\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CONFIGS = [
    (f"plugins/{row['distribution']}/README.md", resolve(row["name"], kind=row["kind"]))
    for row in plugins()
    if row["kind"] != "extension"
]
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)")


@pytest.mark.parametrize(
    "page", [page for page, text in PAGES.items() if BLOCK.search(text) and not page.startswith("docs/examples/")]
)
def test_examples_run(page, tmp_path, monkeypatch, installed):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "src")
    monkeypatch.setattr("sbicore._index._session", {})
    for file, content in FILE.findall(PAGES[page]):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(content, "utf-8")
    if page.startswith("docs/authors/"):
        installed(ROOT / "docs" / "authors" / "sbicore-sine")
    if (tmp_path / "pyproject.toml").exists():
        installed(tmp_path)
    names = {"__name__": "page"}
    for block in BLOCK.finditer(PAGES[page]):
        if not FILE.match(block[0]):
            exec(compile("\n" * PAGES[page][: block.start(1)].count("\n") + block[1], ROOT / page, "exec"), names)
    for name in [name for name in names if name.startswith("test_")]:
        names[name]()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target, anchor in LINK.findall(FENCED.sub("", PAGES[page])):
        found = (ROOT / page).parent.joinpath(target).resolve() if target else ROOT / page
        assert found.exists(), target
        headings = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings], anchor


@pytest.mark.parametrize(("page", "options"), [("docs/choosing.md", FitOptions), *CONFIGS])
def test_tables_have_every_name_and_default(page, options):
    for field in attrs.fields(options) if page in PAGES else []:
        default = "required" if field.default is attrs.NOTHING else f"`{re.escape(repr(field.default))}`"
        row = rf"^\| `{field.name}` \|.*{default} \|"
        assert re.search(row, PAGES[page], re.MULTILINE), field.name
