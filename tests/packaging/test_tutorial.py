"""The tutorial for authors, followed to the letter from an environment with core alone; and their example, installed.

A `console` block holds commands with their output, where `...` stands for anything. A `diff` block is an edit: `---`
names the file, `@@` separates places, and each place must be there once. A `python` block that starts with the name of
a file is that file. They are followed in the order of the page.
"""

from __future__ import annotations

import re
import shlex
import shutil

import pytest
from environments import install, run
from layers import ROOT

pytestmark = pytest.mark.packaging

AUTHORS = ROOT / "docs" / "authors"
PAGE = (AUTHORS / "tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def commands(block):
    """Each command with the output shown."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def fits(shown, output):
    """Whether the output is as shown, spaces at the ends of lines apart."""
    pattern = re.escape(shown.strip()).replace(r"\.\.\.", ".*")
    return re.fullmatch(pattern, re.sub(r" +$", "", output, flags=re.MULTILINE).strip(), re.DOTALL)


def edit(folder, diff):
    """Apply a diff block."""
    for part in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
        file, _, hunks = part.partition("\n")
        text = (folder / file).read_text("utf-8")
        for hunk in hunks.split("@@\n"):
            lines = hunk.splitlines(keepends=True)
            before, after = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
            assert text.count(before) == 1, f"{file} does not have once:\n{before}"
            text = text.replace(before, after)
        (folder / file).write_text(text, "utf-8")


class Reader:
    """Someone who follows the page: an environment, and the folder they are in."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder

    def follow(self, language, block):
        if language == "console":
            for command, shown in commands(block):
                status, output = self.type(command)
                assert fits(shown, output), f"{command}\nshown:\n{shown}\nprinted:\n{output}"
                assert status == ("Error: " in shown), f"{command}: {status}\n{output}"
        elif language == "diff":
            edit(self.folder, block)
        else:
            first, _, rest = block.partition("\n")
            (self.folder / first.removeprefix("# ")).write_text(rest, "utf-8")

    def type(self, command):
        """The status of the command, and what it prints, standard error included."""
        program, *arguments = shlex.split(command)
        if program == "cd":
            self.folder /= arguments[0]
            return 0, ""
        if arguments[:3] == ["-m", "pip", "install"]:
            install(self.python, *(str(self.folder) if word == "." else word for word in arguments[3:]))
            return 0, ""
        done = run(self.python.with_name(program), *arguments, cwd=self.folder, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def reader(environment, tmp_path_factory):
    """After the last line of the page."""
    found = Reader(environment("sbicore[testing]"), tmp_path_factory.mktemp("empty"))
    for language, block in BLOCKS:
        found.follow(language, block)
    return found


def test_the_page_holds_from_its_first_line_to_its_last(reader):
    assert (reader.folder / "train.py").exists()


def test_the_edit_has_five_lines():
    (first, *_) = [block for language, block in BLOCKS if language == "diff"]
    assert len(re.findall(r"^\+", first, re.MULTILINE)) == 5


def test_the_new_subnet_learns_the_exact_answer(reader):
    numbers = re.findall(r"-?\d+\.\d+", reader.type("python train.py")[1])
    learnt, exact = (list(map(float, part)) for part in (numbers[:2], numbers[2:]))
    assert learnt == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize(
    ("file", "right", "wrong", "check"),
    [
        ("module.py", " * getattr(functional, self.config.gate)(gate(h))", "", "check_gradients"),
        ("config.py", "from typing import", "import torch\nfrom typing import", "check_lazy"),
    ],
)
def test_the_check_finds_the_mistakes_that_the_page_names(reader, file, right, wrong, check):
    path = reader.folder / "src" / "sbicore_gated_mlp" / file
    text = path.read_text("utf-8")
    path.write_text(text.replace(right, wrong), "utf-8")
    try:
        status, output = reader.type("sbicore check gated_mlp")
    finally:
        path.write_text(text, "utf-8")
    assert status == 1
    assert re.search(f"failed +{check}", output)


def test_the_example_plugin_is_installed_and_conforms(environment, tmp_path):
    folder = shutil.copytree(AUTHORS / "sbicore-sine", tmp_path / "sbicore-sine")
    python = environment("sbicore[testing]", str(folder))
    run(python, "-m", "pip", "check", cwd=tmp_path)
    run(python, "-m", "pytest", "-q", str(folder / "tests"), cwd=tmp_path)
    assert "none fails" in run(python.with_name("sbicore"), "check", "sbicore-sine", cwd=tmp_path).stdout
