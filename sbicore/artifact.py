"""One file for a trained approximator: safetensors weights with a JSON description; nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import _compat, _index
from ._messages import did_you_mean, listing, untrained
from .config import Config, Hyperparameters
from .errors import ArtifactError, ArtifactWarning, ConfigError, SbicoreError, UnknownComponentError

if TYPE_CHECKING:
    from .approximators import ContinuousApproximator, EnsembleApproximator
    from .approximators._approximator import Approximator

__all__ = ["FORMAT", "checksum", "load", "save"]

FORMAT = 1
_KEY, _CHECKSUM = "sbicore", "sbicore_checksum"


def save(model: Approximator | EnsembleApproximator, path: Any) -> None:
    """Write `model` to `path`: first beside it, then renamed, so that no half file is left.

    Raises:
        NotBuiltError: the model has no weights yet.
        ArtifactError: not a path, or there is no such folder.
        OSError: the folder cannot be written.
    """
    from safetensors.torch import save as to_bytes

    if not model.is_trained:
        raise untrained("save")
    target = _path(path)
    if target.is_dir() or not target.name:
        raise ArtifactError(f"{str(path)!r} is a folder; give the name of a file, e.g. {str(target / 'model.sbi')!r}")
    if not target.parent.is_dir():
        raise ArtifactError(f"There is no folder {target.parent} to save {target.name} in")
    first: Any = getattr(model, "first", model)
    functions = {path for step in first.pipeline.adapter for path in step.functions}
    if own := sorted(path for path in functions if path.startswith("__main__:")):
        warnings.warn(
            f"{target.name} needs {listing(own)}, which only this script has\n"
            "To load it elsewhere, define such functions in a module and train with those.",
            ArtifactWarning,
            stacklevel=3,
        )
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    try:
        text = json.dumps(_header(model))
        beside.write_bytes(to_bytes(tensors, metadata={_KEY: text, _CHECKSUM: checksum(text, tensors)}))
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def load(path: Any, *, modules: Mapping[str, Any] | None = None, device: Any = "cpu") -> ContinuousApproximator:
    """Read an approximator, ready to sample; an `EnsembleApproximator` where that was saved.

    Args:
        path: a file written by `.save(...)`.
        modules: your own `nn.Module`s by their place, e.g. `{"$.subnet": MyNet()}`, where the
            approximator was built with such; the error without them says which.
        device: where the weights go.

    Raises:
        ArtifactError: no such file, damaged, foreign, or of a newer format.
        ConfigError: `modules` names a place that has none.
        UnknownComponentError: a plugin is missing; it is named with its install command.
    """
    import torch

    from . import approximators
    from .devices import usable_device

    header, tensors = _read(_path(path))
    modules = modules or {}
    places = [place for one in _members(header).values() for place in _module_places(one)]
    for place in modules:
        if place not in places:
            raise ConfigError(
                f"modules names {place!r}, where this artifact has no module of yours{did_you_mean(place, places)}\n"
                f"Places: {listing(places)}"
            )
    try:
        made = {name: _made(one, modules) for name, one in _members(header).items()}
        with torch.inference_mode(False):
            for name, model in made.items():
                own = _members(header)[name]
                prefix = f"members.{name}." if "members" in header else ""
                weights = {key.removeprefix(prefix): t for key, t in tensors.items() if key.startswith(prefix)}
                model.pipeline.categories, model.pipeline.dims = own.get("categories", {}), own.get("dims", {})
                model.pipeline.lost = set(own["lost"]) if "lost" in own else None
                model.build({name: tuple(event) for name, event in own["events"].items()}, seed=0)
                model.restore(weights, own["history"], own["standardized"])
            whole: Any = model
            if "members" in header:
                whole = approximators.EnsembleApproximator.restored(made, header["history"])
            whole.to(usable_device(device))
    except SbicoreError:
        raise
    except Exception as error:
        first: Any = next(iter(_members(header).values()), header)
        raise ArtifactError(
            f"{path} does not fit what is installed: {type(error).__name__}: {error}\n"
            f"It was written by sbicore {header.get('sbicore')} with {first.get('plugins')}."
        ) from error
    return cast("ContinuousApproximator", whole)


def _made(header: Mapping[str, Any], modules: Mapping[str, Any]) -> ContinuousApproximator:
    """An approximator without weights."""
    from . import approximators
    from .adapter import Adapter

    approximator: type[Any] = getattr(approximators, header["approximator"])
    network = _restored(header["inference_network"], approximator.network_from, "$", modules, header)
    summary = header["summary_network"]
    if summary is not None:
        summary = _restored(summary, _summary_from, "$summary_network", modules, header)
    model: ContinuousApproximator = approximator(
        network,
        summary_network=summary,
        adapter=Adapter.from_list(header["adapter"]),
        standardize=header["standardize"],
        bounds=header["bounds"],
        out_of_bounds=header["out_of_bounds"],
        missing=header.get("missing"),
        fit_kwargs=header.get("fit_kwargs"),
        **header["roles"],
    )
    return model


def _members(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """The descriptions of the members of an ensemble; for a single approximator its own."""
    found: Mapping[str, Any] = header.get("members", {"": header})
    return found


def _module_places(header: Mapping[str, Any]) -> Iterator[str]:
    yield from _places(header.get("inference_network"), "$")
    yield from _places(header.get("summary_network"), "$summary_network")


def _header(model: Approximator | EnsembleApproximator) -> dict[str, Any]:
    import torch

    from .approximators._approximator import Approximator

    about = {"format": FORMAT, "sbicore": _compat.core_version(), "torch": torch.__version__}
    if isinstance(model, Approximator):
        return about | _description(model)
    members = {name: _description(member) for name, member in model.by_name.items()}
    return about | {"approximator": type(model).__name__, "members": members, "history": model.history.to_dict()}


def _description(model: Approximator) -> dict[str, Any]:
    from .approximators._roles import ROLES

    roles = model.pipeline.roles
    return {
        "plugins": dict(sorted(_providers([model.config, model.summary_config]))),
        "approximator": type(model).__name__,
        "inference_network": model.config.to_dict(),
        "summary_network": model.summary_config and model.summary_config.to_dict(),
        "adapter": model.pipeline.adapter.to_list(),
        "roles": {role: list(names) for role in ROLES if (names := roles.of(role))},
        "standardize": list(model.standardize) or None,
        "standardized": [part for part in model.pipeline.roles.parts() if model.standardizer(part).is_fitted],
        "bounds": {name: [_listed(low), _listed(high)] for name, (low, high) in model.bounds.items()},
        "out_of_bounds": model.out_of_bounds,
        "missing": model.pipeline.missing,
        "fit_kwargs": model.fit_kwargs,
        "categories": model.pipeline.categories,
        "dims": model.pipeline.dims,
        **({} if model.pipeline.lost is None else {"lost": sorted(model.pipeline.lost)}),
        "events": {name: list(event) for name, event in model.pipeline.schema.items()},
        "history": model.history.to_dict(),
    }


def _path(path: Any) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise ArtifactError(f"An artifact has a path, got {path!r}\nGive for instance: 'model.sbi'") from None


def _listed(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _providers(values: list[Any]) -> Iterator[tuple[str, list[str]]]:
    """`kind/name` with distribution and version, for every component in use."""
    for value in values:
        if isinstance(value, Config) and not value.name.startswith("@"):
            found = _index.entries(value.kind, value.name)
            package = type(value).__module__.partition(".")[0]
            for entry in [entry for entry in found if entry.value.startswith(package)][:1]:
                yield f"{value.kind}/{value.name}", [entry.distribution, entry.version]
        if isinstance(value, Hyperparameters):
            yield from _providers(list(value._values().values()))
        elif isinstance(value, Mapping):
            yield from _providers(list(value.values()))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ArtifactError(f"{path} is a folder" if path.is_dir() else f"There is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactError(
            f"{path} cannot be read; it is damaged, cut short, or no sbicore artifact: {error}"
        ) from error
    text = metadata.get(_KEY)
    if text is None:
        raise ArtifactError(f"{path} holds tensors but was not written by sbicore.")
    try:
        header = json.loads(text)
        number = header["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{path} has a damaged description: {error}") from error
    if not isinstance(number, int) or number > FORMAT:
        raise ArtifactError(
            f"{path} has format {number}; sbicore {_compat.core_version()} reads up to format {FORMAT}.\n"
            "pip install --upgrade sbicore"
        )
    if metadata.get(_CHECKSUM) != checksum(text, tensors):
        raise ArtifactError(f"{path} is damaged: what it holds is not what was saved\nCopy it anew, or save it again.")
    return header, tensors


def checksum(text: str, tensors: Mapping[str, Any]) -> str:
    """SHA-256 of the description and of the names, types, shapes and values of the tensors."""
    import torch

    found = hashlib.sha256(text.encode())
    for name, value in sorted(tensors.items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        found.update(value.contiguous().reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def _restored(
    saved: Mapping[str, Any],
    make: Callable[[Any], Any],
    place: str,
    modules: Mapping[str, Any],
    header: Mapping[str, Any],
) -> Any:
    """A config from its saved form, with given modules in their places."""
    filled = _fill(saved, place, modules)
    try:
        return make(filled)
    except UnknownComponentError as error:
        distribution, version = header.get("plugins", {}).get(f"{error.kind}/{error.name}", (None, None))
        if distribution is None or error.install or error.disabled:
            raise
        raise UnknownComponentError(
            f"This artifact needs {error.kind.replace('_', ' ')} {error.name!r} of {distribution} {version}, "
            "which is not installed.\nInstall that package if you trust it.",
            kind=error.kind,
            name=error.name,
        ) from None


def _summary_from(saved: Any) -> Any:
    from .registry import configure

    return configure(saved, kind="summary_network")


def _places(saved: Any, place: str) -> Iterator[str]:
    """Where a saved form has modules of the user's own."""
    if isinstance(saved, Mapping):
        if saved.get("name") == "@module":
            yield place
        for key, value in saved.items():
            yield from _places(value, f"{place}.{key}")


def _fill(saved: Any, place: str, modules: Mapping[str, Any]) -> Any:
    if isinstance(saved, Mapping):
        if saved.get("name") == "@module":
            from ._modules import missing_module, wrap

            if place not in modules:
                raise missing_module(place, dict(saved))
            given = modules[place]
            call = saved.get("call", "xtc")
            return given if call == "xtc" or isinstance(given, Config) else wrap(given, call)
        return {key: _fill(value, f"{place}.{key}", modules) for key, value in saved.items()}
    if isinstance(saved, list):
        return tuple(_fill(item, f"{place}[{i}]", modules) for i, item in enumerate(saved))
    return saved
