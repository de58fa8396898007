"""The choice between all threads and one."""

from __future__ import annotations

import torch

from sbicore import _threads


def run(monkeypatch, seconds):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    chosen = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(_threads._Chooser, "_seconds", lambda self, threads: seconds[threads])
    with _threads.suitable_threads(torch.device("cpu")) as check:
        check()
        inside = chosen[-1]
    return inside, chosen[-1]


def test_free_cores_are_used(monkeypatch):
    assert run(monkeypatch, {1: 1.0, 4: 0.4}) == (4, 4)


def test_busy_cores_are_avoided_and_given_back(monkeypatch):
    assert run(monkeypatch, {1: 1.0, 4: 10.0}) == (1, 4)


def test_accelerators_are_left_alone(monkeypatch):
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: 1 / 0)
    with _threads.suitable_threads(torch.device("cuda")) as check:
        check()
