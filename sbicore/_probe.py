"""Whether installed plugins load, tried in processes of their own: nothing they do can hurt the caller.

Run as a program, this file imports the entries of one distribution and prints a line each; `probe`
runs that with a limit on the time.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import warnings

__all__ = ["probe"]

LIMIT = 5.0  # seconds that one entry may take


def probe(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of `sbicore.plugins()`, those with state `ok` tried out.

    States that may follow: `fails to import: ...`, `exits: ...`, `slow: ...`, `invalid: ...`.
    """
    from concurrent.futures import ThreadPoolExecutor

    todo: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        if row["state"] == "ok":
            todo.setdefault(row["distribution"], []).append((row["kind"], row["name"]))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        states = dict(zip(todo, pool.map(_states, todo, todo.values()), strict=True))
    return [
        row | {"state": states.get(row["distribution"], {}).get((row["kind"], row["name"]), row["state"])}
        for row in rows
    ]


def _states(distribution: str, todo: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """States of all entries of a distribution, in as many processes as it takes."""
    states: dict[tuple[str, str], str] = {}
    while todo:
        states |= _run(distribution, todo)
        todo = [entry for entry in todo if entry not in states]
    return states


def _run(distribution: str, todo: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """States of the first entries: all of them, or up to the one that ends the process or takes too long."""
    command = [sys.executable, "-m", "sbicore._probe", distribution, json.dumps(todo), json.dumps(sys.path)]
    found: dict[tuple[str, str], str] = {}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_forward, args=(process, lines), daemon=True).start()
        lines.get()
        for key in todo:
            try:
                line = lines.get(timeout=LIMIT)
            except queue.Empty:
                found[key] = f"slow: not imported within {LIMIT:g} s"
                break
            if not line:
                found[key] = f"exits: importing it ends the process with status {process.wait()}"
                break
            found[key] = json.loads(line)
        process.kill()
    return found


def _forward(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put("")


def _state(kind: str, name: str) -> str:
    """What happens when this entry is loaded here."""
    from .errors import BrokenPluginError, SbicoreError

    try:
        _try(kind, name)
    except (Exception, SystemExit) as error:
        cause = error.__cause__ or error if isinstance(error, BrokenPluginError) else error
        told = " ".join(f"{type(cause).__name__}: {cause}".split())
        if isinstance(cause, SystemExit):
            return f"exits: {told}"
        if isinstance(error, SbicoreError) and not isinstance(error, BrokenPluginError):
            return f"invalid: {str(error).partition(chr(10))[0]}"
        return f"fails to import: {told}"
    return "ok"


def _try(kind: str, name: str) -> None:
    if kind == "extension":
        from ._extensions import try_extension

        try_extension(name)
        return
    from .errors import InvalidComponentError
    from .registry import resolve_installed

    config = resolve_installed(kind, name)
    try:
        examples = config.examples()
    except Exception as error:
        raise InvalidComponentError(f"examples() fails: {type(error).__name__}: {error}") from error
    if not examples:
        raise InvalidComponentError("examples() is empty")


def _main(distribution: str, entries: str, path: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a plugin prints must not be taken for an answer
    sys.path[:] = json.loads(path)
    from .registry import plugins

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plugins()
        print("ready", file=answers, flush=True)  # from here on the time is the plugin's
        for kind, name in json.loads(entries):
            print(json.dumps(_state(kind, f"{distribution}/{name}")), file=answers, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
