"""Stores: what is written and read, in every format, and what is wrong with some."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

import sbicore
from sbicore.errors import ConfigError, DataError, DataWarning, ShapeError


def rows(count=500, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(count, 2)).astype(np.float32)
    return {"theta": theta, "x": theta[:, :1] + np.arange(3), "k": np.arange(count)}


def together(store):
    parts = list(store)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def as_npz(folder, data):
    folder.mkdir()
    for i, start in enumerate(range(0, 500, 120)):
        np.savez(folder / f"{i:02d}.npz", **{name: value[start : start + 120] for name, value in data.items()})
    return folder


def as_npy(folder, data):
    folder.mkdir()
    for name, value in data.items():
        np.save(folder / f"{name}.npy", value)
    return folder


def as_hdf5(folder, data):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder.with_suffix(".h5"), "w") as file:
        for name, value in data.items():
            file.create_dataset(name, data=value, chunks=(100, *value.shape[1:]))
    return folder.with_suffix(".h5")


def as_zarr(folder, data):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(folder.with_suffix(".zarr")), mode="w")
    for name, value in data.items():
        array = group.create_array(name, shape=value.shape, dtype=value.dtype, chunks=(100, *value.shape[1:]))
        array[:] = value
    return folder.with_suffix(".zarr")


FORMATS = [as_npz, as_npy, as_hdf5, as_zarr]


@pytest.mark.parametrize("write", FORMATS)
def test_every_format_gives_the_rows(tmp_path, write, monkeypatch):
    monkeypatch.setattr("sbicore.stores.store.PIECE_BYTES", 2_000)
    store = sbicore.open_store(write(tmp_path / "s", rows()))
    assert len(store) == 500 and store.events == {"theta": (2,), "x": (3,), "k": ()}
    assert len(store.pieces) >= 5
    same(together(store), rows())
    assert "theta (500, 2)" in repr(store)


def simulate(calls=None, fails_at=None):
    def sample(n, rng):
        if calls is not None:
            calls.append(n)
            if len(calls) == fails_at:
                raise KeyboardInterrupt
        theta = rng.normal(size=(n, 2))
        return {"theta": theta, "x": theta + rng.normal(size=(n, 2))}

    return sbicore.make_simulator(sample, vectorized=True)


def test_an_interrupted_simulation_goes_on(tmp_path):
    whole = sbicore.write_store(tmp_path / "a", simulate(), n=1_050, seed=3, part_rows=100, progress=False)
    calls = []
    with pytest.raises(KeyboardInterrupt):
        sbicore.write_store(tmp_path / "b", simulate(calls, 7), n=1_050, seed=3, part_rows=100, progress=False)
    with pytest.raises(DataError, match=r"has 500 of 1050 rows\nCall write_store again"):
        sbicore.open_store(tmp_path / "b")
    assert not list((tmp_path / "b").glob("*.part"))
    store = sbicore.write_store(tmp_path / "b", simulate(calls), n=1_050, part_rows=100, progress=False)
    few = [8]  # by which the simulator is known again; the five parts that were whole are not made again
    assert calls == few + 6 * [100] + few + 5 * [100] + [50] and len(store) == 1_050
    same(together(store), together(whole))


def test_jobs_share_a_folder(tmp_path):
    arguments = {"n": 450, "seed": 3, "part_rows": 100, "progress": False}
    alone = sbicore.write_store(tmp_path / "a", simulate(), **arguments)
    assert sbicore.write_store(tmp_path / "b", simulate(), job=1, jobs=2, **arguments) is None
    store = sbicore.write_store(tmp_path / "b", simulate(), job=0, jobs=2, **arguments)
    same(together(store), together(alone))


def test_arrays_and_batches_are_cut_anew(tmp_path):
    data = rows()
    same(together(sbicore.write_store(tmp_path / "a", data, part_rows=64, progress=False)), data)
    batches = ({name: value[i : i + 37] for name, value in data.items()} for i in range(0, 500, 37))
    store = sbicore.write_store(tmp_path / "b", batches, part_rows=64, progress=False)
    assert store.sizes == [64] * 7 + [52]
    same(together(store), data)


def test_an_interrupted_iterable_goes_on(tmp_path):
    def batches(fail):
        for i in range(0, 500, 50):
            if i == 300 and fail:
                raise OSError("gone")
            yield {name: value[i : i + 50] for name, value in rows().items()}

    with pytest.raises(OSError, match="gone"):
        sbicore.write_store(tmp_path / "s", batches(True), part_rows=64, progress=False)
    with pytest.raises(DataError, match="256 of an unknown number of rows"):
        sbicore.open_store(tmp_path / "s")
    same(together(sbicore.write_store(tmp_path / "s", batches(False), part_rows=64, progress=False)), rows())


def test_other_arguments_are_refused(tmp_path):
    sbicore.write_store(tmp_path / "s", simulate(), n=100, seed=1, progress=False)
    with pytest.raises(ConfigError, match="was written with rows=100"):
        sbicore.write_store(tmp_path / "s", simulate(), n=200, seed=1, progress=False)
    with pytest.raises(ConfigError, match="was written with seed=1"):
        sbicore.write_store(tmp_path / "s", simulate(), n=100, seed=2, progress=False)
    with pytest.raises(ConfigError, match="How many rows"):
        sbicore.write_store(tmp_path / "t", simulate())
    with pytest.raises(ConfigError, match="n has a meaning for simulators only"):
        sbicore.write_store(tmp_path / "t", rows(), n=3)
    with pytest.raises(DataError, match="cannot store int"):
        sbicore.write_store(tmp_path / "t", 3)
    with pytest.raises(ConfigError, match="files that write_store did not write"):
        sbicore.write_store(as_npz(tmp_path / "mine", rows()), rows())


def scaled(scale, name="x", width=2):
    def sample(n, rng):
        theta = rng.normal(size=(n, 2))
        return {"theta": theta, name: theta[:, :width] + scale * rng.normal(size=(n, width))}

    return sbicore.make_simulator(sample, vectorized=True)


@pytest.mark.parametrize("part_rows", [None, 100])
def test_another_simulator_is_refused(tmp_path, part_rows):
    arguments = {"n": 500, "seed": 1, "part_rows": part_rows, "progress": False}
    whole = together(sbicore.write_store(tmp_path / "s", scaled(1.0), **arguments))
    remedy = r"\nDelete the folder to write anew, or give another path"
    with pytest.raises(ConfigError, match="another simulator: of this seed it made other values of x" + remedy):
        sbicore.write_store(tmp_path / "s", scaled(1.1), **arguments)
    with pytest.raises(ConfigError, match="its variables are theta, x, now theta, y" + remedy):
        sbicore.write_store(tmp_path / "s", scaled(1.0, "y"), **arguments)
    with pytest.raises(ConfigError, match=r"its rows of 'x' are \(2,\) of float32, now \(1,\) of float32" + remedy):
        sbicore.write_store(tmp_path / "s", scaled(1.0, width=1), **arguments)
    same(together(sbicore.write_store(tmp_path / "s", scaled(1.0), **arguments)), whole)


def test_jobs_of_two_simulators_are_refused(tmp_path):
    arguments = {"n": 450, "seed": 3, "part_rows": 100, "jobs": 2, "progress": False}
    assert sbicore.write_store(tmp_path / "s", scaled(1.0), job=0, **arguments) is None
    with pytest.raises(ConfigError, match="another simulator"):
        sbicore.write_store(tmp_path / "s", scaled(2.0), job=1, **arguments)
    assert len(sbicore.write_store(tmp_path / "s", scaled(1.0), job=1, **arguments)) == 450


def test_a_finished_store_is_returned_for_a_few_rows(tmp_path):
    calls = []
    for _ in range(2):
        store = sbicore.write_store(tmp_path / "s", simulate(calls), n=2_000, seed=1, progress=False)
    assert calls == [8, 1_000, 1_000, 8] and len(store) == 2_000


def test_a_simulator_does_not_go_on_with_arrays_nor_arrays_with_it(tmp_path):
    sbicore.write_store(tmp_path / "a", rows(), progress=False)
    with pytest.raises(ConfigError, match="other data: it has rows of arrays\nDelete the folder"):
        sbicore.write_store(tmp_path / "a", simulate(), n=500, progress=False)
    sbicore.write_store(tmp_path / "s", simulate(), n=500, seed=1, progress=False)
    with pytest.raises(ConfigError, match="other data: it has rows of a simulator\nDelete the folder"):
        sbicore.write_store(tmp_path / "s", rows(), progress=False)


def test_what_differs_from_call_to_call_tells_nothing(tmp_path):
    clock = iter(range(10**9))

    def timed(rng):
        return {"theta": rng.normal(), "seconds": float(next(clock))}

    def shifted(rng):
        return {"theta": 1 + rng.normal(), "seconds": float(next(clock))}

    sbicore.write_store(tmp_path / "s", timed, n=300, seed=1, progress=False)
    assert len(sbicore.write_store(tmp_path / "s", timed, n=300, seed=1, progress=False)) == 300
    with pytest.raises(ConfigError, match="other values of theta\n"):
        sbicore.write_store(tmp_path / "s", shifted, n=300, seed=1, progress=False)


@pytest.mark.parametrize("batches", [False, True])
def test_other_data_are_refused(tmp_path, batches):
    def given(data, end=None):
        cut = {name: value[:end] for name, value in data.items()}
        return iter([cut]) if batches else cut

    data = rows() | {"f": np.asfortranarray(rows()["x"])}
    sbicore.write_store(tmp_path / "s", given(data), part_rows=64, progress=False)
    same(together(sbicore.write_store(tmp_path / "s", given(data), progress=False)), data)
    for name in data:
        changed = data[name].copy()
        changed[300:] += 1
        with pytest.raises(ConfigError, match=rf"000004\.npz has other values of {name}\nDelete the folder"):
            sbicore.write_store(tmp_path / "s", given(data | {name: changed}), progress=False)
    with pytest.raises(ConfigError, match="its variables are f, k, theta, x, now k, theta, x"):
        sbicore.write_store(tmp_path / "s", given(rows()), progress=False)
    same(together(sbicore.open_store(tmp_path / "s")), data)


@pytest.mark.parametrize(
    ("count", "words"), [(256, "500 rows, now there are 256"), (700, "500 rows, now there are more")]
)
def test_fewer_or_more_batches_are_refused(tmp_path, count, words):
    def batches(count):
        yield {name: value[:count] for name, value in rows(700).items()}

    sbicore.write_store(tmp_path / "s", batches(500), part_rows=64, progress=False)
    with pytest.raises(ConfigError, match=words):
        sbicore.write_store(tmp_path / "s", batches(count), progress=False)
    assert len(sbicore.open_store(tmp_path / "s")) == 500


def test_more_batches_after_the_last_file_are_refused(tmp_path):
    sbicore.write_store(tmp_path / "s", iter([rows(128)]), part_rows=64, progress=False)
    with pytest.raises(ConfigError, match="it has 128 rows, now there are more"):
        sbicore.write_store(tmp_path / "s", iter([rows(128), rows(128)]), progress=False)
    assert len(sbicore.open_store(tmp_path / "s")) == 128


def test_rows_of_different_lengths_are_refused(tmp_path):
    ragged = sbicore.make_simulator(lambda rng: {"x": rng.normal(size=rng.integers(2, 9))})
    with pytest.raises(DataError, match=r"'x' has rows of different lengths.*\nPad them"):
        sbicore.write_store(tmp_path / "s", ragged, n=20, seed=1, progress=False)
    with pytest.raises(ShapeError, match="different numbers of rows"):
        sbicore.write_store(tmp_path / "t", {"a": np.zeros(3), "b": np.zeros(4)}, progress=False)


@pytest.mark.parametrize("write", FORMATS[:3])
def test_what_is_cut_short_is_named(tmp_path, write):
    path = write(tmp_path / "s", rows())
    file = path if path.is_file() else sorted(path.glob("*.np*"))[-1]
    file.write_bytes(file.read_bytes()[:-700])
    with pytest.raises(DataError, match="is damaged, cut short, or not a store"):
        sbicore.open_store(path)


def test_a_flipped_bit_is_found_by_its_checksum(tmp_path):
    sbicore.write_store(tmp_path / "s", rows(9_000), part_rows=3_000, progress=False)
    file = tmp_path / "s" / "000001.npz"
    content = bytearray(file.read_bytes())
    content[20_000] ^= 1
    file.write_bytes(content)
    store = sbicore.open_store(tmp_path / "s")
    store.read(0)
    with pytest.raises(DataError, match=r"000001\.npz is damaged"):
        store.read(1)


@pytest.mark.parametrize("write", FORMATS[:3])
def test_a_change_after_opening_is_found(tmp_path, write):
    path = write(tmp_path / "s", rows())
    store = sbicore.open_store(path)
    file = path if path.is_file() else sorted(path.glob("*.np*"))[0]
    os.utime(file, ns=(1, 1))
    with pytest.raises(DataError, match="was changed or removed while it is read"):
        store.read(0)


def test_files_of_another_schema_are_named(tmp_path):
    path = as_npz(tmp_path / "s", rows())
    np.savez(path / "03.npz", **{name: value[:, :1] if name == "x" else value for name, value in rows().items()})
    with pytest.raises(ShapeError, match=r"03\.npz: 'x' has rows \(1,\) of float.*, but .*00\.npz has \(3,\)"):
        sbicore.open_store(path)
    np.savez(path / "03.npz", theta=rows()["theta"], x=rows()["x"])
    with pytest.raises(DataError, match=r"03\.npz has the variables theta, x, but"):
        sbicore.open_store(path)
    np.savez(path / "03.npz", **{name: value.astype(np.float16) for name, value in rows().items()})
    with pytest.raises(ShapeError, match="of float16, but"):
        sbicore.open_store(path)


def test_what_is_no_store_is_named(tmp_path):
    with pytest.raises(DataError, match="There is no"):
        sbicore.open_store(tmp_path / "nothing")
    with pytest.raises(DataError, match="A store has a path, got 3"):
        sbicore.open_store(3)
    with pytest.raises(DataError, match="neither .npz nor .npy files"):
        sbicore.open_store(tmp_path)
    np.savez(tmp_path / "one.npz", x=np.zeros(3))
    with pytest.raises(DataError, match="is a single file of arrays"):
        sbicore.open_store(tmp_path / "one.npz")
    with pytest.raises(DataError, match="has no rows"):
        sbicore.open_store(as_npy(tmp_path / "empty", {"x": np.zeros((0, 2))}))
    with pytest.raises(DataError, match="'x' is not numeric"):
        sbicore.open_store(as_npy(tmp_path / "text", {"x": np.array(["a", "b"])}))
    with pytest.raises(ShapeError, match="different numbers of rows: a 3, b 4"):
        sbicore.open_store(as_npy(tmp_path / "uneven", {"a": np.zeros(3), "b": np.zeros(4)}))
    with pytest.raises(DataError, match="column by column"):
        sbicore.open_store(as_npy(tmp_path / "fortran", {"a": np.asfortranarray(np.ones((3, 2)))}))


def test_a_text_file_is_no_hdf5_file(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "notes.txt").write_text("no store")
    with pytest.raises(DataError, match=r"notes\.txt is damaged, cut short, or not a store"):
        sbicore.open_store(tmp_path / "notes.txt")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    (tmp_path / "data.h5").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ConfigError, match=r'needs h5py, which is not installed\npip install "sbicore\[disk\]"'):
        sbicore.open_store(tmp_path / "data.h5")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission_is_named(tmp_path):
    path = as_npz(tmp_path / "s", rows())
    (path / "01.npz").chmod(0)
    with pytest.raises(DataError, match=r"01\.npz may not be read: permission denied"):
        sbicore.open_store(path)


def test_chunks_that_were_never_written_are_told(tmp_path):
    zarr = pytest.importorskip("zarr")
    group = zarr.open_group(str(tmp_path / "s.zarr"), mode="w")
    group.create_array("x", shape=(300,), dtype="f4", chunks=(100,))[:200] = 1.0
    with pytest.warns(DataWarning, match="1 of 3 chunks of 'x' were never written"):
        sbicore.open_store(tmp_path / "s.zarr")


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    ragged = {"a": np.zeros((2, 1)), "x": [np.zeros((1, 1)), np.zeros((2, 1))]}
    with pytest.raises(ConfigError, match="file is a file; a store is a folder"):
        sbicore.write_store(tmp_path / "file", rows())
    for arguments in ({"n": 0}, {"n": 2.5}, {"n": 3, "part_rows": 0}):
        with pytest.raises(ConfigError, match="must be a whole number >= 1, got"):
            sbicore.write_store(tmp_path / "s", simulate(), **arguments)
    for source in (ragged, [ragged]):
        with pytest.raises(DataError, match="'x' has rows of different lengths.*\nPad them"):
            sbicore.write_store(tmp_path / "t", source)


def test_data_frames_are_written_like_dicts(tmp_path):
    pandas = pytest.importorskip("pandas")
    data = {"theta": np.arange(5.0), "k": np.arange(5)}
    frame = pandas.DataFrame(data)
    for name, source in (("a", frame), ("b", [frame[:2], frame[2:]])):
        same(together(sbicore.write_store(tmp_path / name, source, progress=False)), data)
    with pytest.raises(DataError, match="'k' is categorical, and a store has numbers alone\n.*get_dummies"):
        sbicore.write_store(tmp_path / "c", frame.astype({"k": "category"}))
