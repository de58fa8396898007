"""From a name to a config class, whatever the installed distributions look like."""

from __future__ import annotations

import json
import sys
import warnings
from typing import ClassVar

import pytest

import sbicore
from sbicore import _index
from sbicore.config import SubnetConfig, frozen
from sbicore.errors import (
    AmbiguousComponentError,
    BrokenPluginError,
    IncompatiblePluginError,
    InvalidComponentError,
    PluginError,
    PluginWarning,
    UnknownComponentError,
)


@frozen(kw_only=True)
class SessionWave(SubnetConfig):
    name: ClassVar[str] = "wave"


def rows(name="wave"):
    return [row for row in sbicore.plugins() if row["name"] == name]


@pytest.fixture
def known(monkeypatch):
    """A catalogue with the subnet `ripple` of the first-party distribution sbicore-ripple."""
    row = {"distribution": "sbicore-ripple", "class": "Ripple"}
    monkeypatch.setattr(_index, "catalogue", lambda: {"subnet": {"ripple": row}})


class TestUnknown:
    def test_misspelt_component_names_the_nearest_and_what_is_installed(self, fake_distribution):
        fake_distribution("acme")
        with pytest.raises(UnknownComponentError) as caught:
            sbicore.configure("waev", kind="subnet")
        first, second = str(caught.value).split("\n")
        assert first == "There is no subnet named 'waev'; did you mean 'wave'?"
        assert "wave" in second.removeprefix("Installed: ").split(", ")
        assert (caught.value.kind, caught.value.name, caught.value.near) == ("subnet", "waev", "wave")
        assert isinstance(caught.value, LookupError)

    def test_nothing_near_suggests_nothing(self):
        with pytest.raises(UnknownComponentError, match="There is no subnet named 'zzzzzzzz'\n") as caught:
            sbicore.configure("zzzzzzzz", kind="subnet")
        assert caught.value.near is None
        assert caught.value.install is None

    @pytest.mark.usefixtures("known")
    @pytest.mark.parametrize("name", ["ripple", "sbicore-ripple/ripple"])
    def test_known_plugin_that_is_missing_gives_its_install_command(self, name, monkeypatch):
        monkeypatch.setattr(_index, "_source", lambda name: None)
        with pytest.raises(UnknownComponentError) as caught:
            sbicore.configure(name, kind="subnet")
        assert str(caught.value).split("\n") == [
            f"subnet {name!r} is provided by sbicore-ripple, which is not installed.",
            "pip install sbicore-ripple",
        ]
        assert caught.value.install == "pip install sbicore-ripple"

    @pytest.mark.usefixtures("known")
    def test_in_a_checkout_the_install_command_names_its_folder_and_those_it_needs(self, tmp_path, monkeypatch):
        needs = {"sbicore-ripple": ["sbicore>=0.1", "sbicore-pond>=0.1"], "sbicore-pond": ["sbicore-ripple", "numpy"]}
        for name, requirements in needs.items():
            (tmp_path / "plugins" / name).mkdir(parents=True)
            (tmp_path / "plugins" / name / "pyproject.toml").write_text(f"dependencies = {json.dumps(requirements)}")
        monkeypatch.setattr(_index, "_source", lambda name: tmp_path)
        with pytest.raises(UnknownComponentError) as caught:
            sbicore.configure("ripple")
        folders = [str(tmp_path / "plugins" / name) for name in needs]
        assert caught.value.install == f"pip install {' '.join(folders)}"

    @pytest.mark.usefixtures("known")
    def test_misspelt_name_of_a_missing_plugin_is_recognised(self):
        with pytest.raises(UnknownComponentError, match="did you mean 'ripple'"):
            sbicore.configure("riple", kind="subnet")

    def test_a_name_of_another_distribution_is_not_taken(self, fake_distribution):
        fake_distribution("acme")
        with pytest.raises(UnknownComponentError, match="no subnet named 'other/wave'; did you mean 'acme/wave'"):
            sbicore.configure("other/wave", kind="subnet")


class TestInstalled:
    def test_listing_imports_nothing(self, fake_distribution):
        fake_distribution("acme", version="2.5")
        assert rows() == [{"kind": "subnet", "name": "wave", "distribution": "acme", "version": "2.5", "state": "ok"}]
        assert "acme" not in sys.modules

    def test_configure_imports_the_plugin_and_finds_its_kind(self, fake_distribution):
        fake_distribution("acme")
        assert sbicore.configure("wave", depth=3).to_dict() == {"name": "wave", "depth": 3}

    def test_a_package_installed_since_is_found(self, fake_distribution):
        assert rows() == []
        fake_distribution("acme")
        assert sbicore.configure("wave", kind="subnet").name == "wave"

    def test_one_distribution_on_two_paths_is_one(self, fake_distribution):
        fake_distribution("acme-sbi", version="1.0")
        fake_distribution("Acme.SBI", version="2.0", points="[sbicore.subnets]\nwave = acme_sbi:Wave\n")
        assert [row["version"] for row in rows()] == ["2.0"]
        assert sbicore.configure("wave").depth == 1

    def test_description_comes_from_the_config(self, fake_distribution):
        fake_distribution("acme")
        found = sbicore.describe("wave")
        assert (found["kind"], found["class"], found["doc"]) == ("subnet", "acme:Wave", "A toy.")
        assert (found["distribution"], found["version"], found["references"]) == ("acme", "1.0", [])
        assert found["shapes"] == "(x (*, D), t (*), conditions (*, C)) -> (*, W)"
        assert found["facts"] == {"uses_time": "no", "layout": "vector", "compiles": True}
        assert found["hyperparameters"] == [
            {"name": "depth", "type": "integer", "required": False, "default": 1, "doc": "Depth.", "optional": False}
            | {"ge": 1}
        ]

    def test_extensions_are_listed_after_the_components(self, fake_distribution):
        fake_distribution("watcher", points="[sbicore]\nwatch = watcher\n", source="raise SystemExit")
        row = {"kind": "extension", "name": "watch", "distribution": "watcher", "version": "1.0", "state": "ok"}
        assert sbicore.plugins()[-1] == row
        assert sbicore.plugins("extension") == [row]

    def test_listing_by_capability_asks_the_configs(self, fake_distribution):
        fake_distribution("acme")
        fake_distribution("broken", source="raise ImportError('no')", points="[sbicore.subnets]\nbad = broken:X\n")
        with pytest.warns(PluginWarning, match="'bad' is provided by broken 1.0, which fails to import"):
            found = sbicore.plugins("subnet", capability="ripple")
        assert [row["name"] for row in found] == ["wave"]


BROKEN = {
    "missing dependency": ("import not_there_at_all", ModuleNotFoundError),
    "syntax": ("def", SyntaxError),
    "exit": ("raise SystemExit(3)", SystemExit),
    "missing class": ("", AttributeError),
}


class TestBroken:
    @pytest.mark.parametrize(("source", "cause"), BROKEN.values(), ids=BROKEN)
    def test_plugin_that_fails_to_import_is_named_with_the_cause(self, source, cause, fake_distribution):
        fake_distribution("acme", source=source)
        with pytest.raises(BrokenPluginError, match=r"acme 1.0, which fails to import \(acme:Wave\)") as caught:
            sbicore.configure("wave", kind="subnet")
        assert isinstance(caught.value.__cause__, cause)
        assert isinstance(caught.value, ImportError)
        assert "pip install --force-reinstall acme" in str(caught.value).split("\n")[1]

    def test_a_broken_component_inside_another_is_located(self, fake_distribution):
        from sbicore.fields import component

        @frozen(kw_only=True)
        class Outer(SubnetConfig):
            name: ClassVar[str] = "outer"
            inner: SubnetConfig = component("subnet", "wave", doc="Inner.")

        fake_distribution("acme", source="raise SystemExit")
        with pytest.raises(BrokenPluginError, match=r"@ \$.inner"):
            Outer()

    def test_a_package_whose_files_are_gone_is_told_from_one_that_needs_another(self, fake_distribution):
        fake_distribution("gone", points="[sbicore.subnets]\nwave = not_there:Wave\n")
        fake_distribution("needy", points="[sbicore.subnets]\nripple = needy:Wave\n", source="import other.thing")
        with pytest.raises(BrokenPluginError, match="\nIts files are gone. pip install --force-reinstall gone"):
            sbicore.configure("wave", kind="subnet")
        with pytest.raises(BrokenPluginError, match="\nThe package 'other' is not installed. pip install --force-re"):
            sbicore.configure("ripple", kind="subnet")

    def test_a_class_that_was_renamed_points_at_the_metadata(self, fake_distribution):
        fake_distribution("acme", points="[sbicore.subnets]\nwave = acme:OldName\n")
        with pytest.raises(BrokenPluginError, match="\nIts metadata and its files do not match. pip install"):
            sbicore.configure("wave", kind="subnet")

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ('"wave"', '"wavy"', "is registered as 'wave', but its name is 'wavy'"),
            ("@frozen(kw_only=True)", "", r"is not decorated\nWrite @frozen\(kw_only=True\) above class Wave"),
            ('    name: ClassVar[str] = "wave"\n', "", "does not say its name\nAdd to the class: name: ClassVar"),
        ],
    )
    def test_a_class_that_cannot_be_found_again_is_refused(self, old, new, told, fake_distribution):
        assert old in fake_distribution.source
        fake_distribution("acme", source=fake_distribution.source.replace(old, new))
        with pytest.raises(InvalidComponentError, match=f"acme:Wave of acme {told}"):
            sbicore.configure("wave", kind="subnet")

    def test_a_misspelt_group_is_told(self, fake_distribution):
        fake_distribution("acme", points="[sbicore.subnet]\nwave = acme:Wave\n")
        with pytest.warns(PluginWarning, match="acme has entry points in 'sbicore.subnet', .* mean 'sbicore.subnets'"):
            assert rows() == []

    def test_an_editable_plugin_is_its_authors_to_correct(self, fake_distribution, tmp_path):
        info = fake_distribution("acme", source="def")
        url = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(url))
        with pytest.raises(
            BrokenPluginError, match=f"Correct its code or its entry point; .*: pip install -e {tmp_path}"
        ):
            sbicore.configure("wave", kind="subnet")

    def test_missing_metadata_are_damage_that_shows_in_the_list(self, fake_distribution):
        (fake_distribution("acme-sbi") / "METADATA").unlink()
        [row] = rows()
        assert (row["distribution"], row["version"], row["state"]) == (
            "acme-sbi",
            "1.0",
            "damaged: its METADATA are missing",
        )
        with pytest.raises(BrokenPluginError, match="acme-sbi 1.0, whose installation is damaged: its METADATA are"):
            sbicore.configure("wave", kind="subnet")

    def test_what_an_interrupted_uninstallation_left_does_not_hide_the_plugin(self, fake_distribution):
        left = fake_distribution("acme", version="0.9")
        left.rename(left.with_name("~cme-0.9.dist-info"))
        assert rows()[0]["state"].startswith("damaged: an interrupted uninstallation left ")
        fake_distribution("acme", version="1.1")
        sbicore._index.rescan()
        assert [(row["version"], row["state"]) for row in rows()] == [("1.1", "ok")]
        assert sbicore.configure("wave", kind="subnet").depth == 1

    def test_a_slow_import_is_told(self, fake_distribution, monkeypatch):
        monkeypatch.setattr("sbicore._loading.SLOW", -1.0)
        fake_distribution("acme")
        with pytest.warns(PluginWarning, match="importing acme:Wave of acme took .* s; a plugin should import torch"):
            assert sbicore.configure("wave", kind="subnet").depth == 1

    def test_it_hurts_only_who_asks_for_it(self, fake_distribution):
        fake_distribution("acme")
        fake_distribution("broken", source="raise SystemExit", points="[sbicore.subnets]\nbad = broken:X\n")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert sbicore.configure("wave", kind="subnet").depth == 1
            assert [row["state"] for row in rows("bad")] == ["ok"]
        assert "broken" not in sys.modules

    def test_plugin_for_another_core_is_refused_before_it_is_imported(self, fake_distribution, monkeypatch):
        monkeypatch.setattr("sbicore._compat.core_version", lambda: "1.2.0")
        fake_distribution("acme", requires=["attrs", "sbicore>=2,<3; python_version>'3'"], source="raise SystemExit")
        assert rows()[0]["state"] == "incompatible: needs sbicore<3,>=2"
        with pytest.raises(IncompatiblePluginError) as caught:
            sbicore.configure("wave", kind="subnet")
        assert str(caught.value).split("\n") == [
            "acme 1.0 needs sbicore<3,>=2, but sbicore 1.2.0 is installed.",
            "pip install --upgrade acme sbicore",
        ]
        assert caught.value.requirement == "sbicore<3,>=2"

    @pytest.mark.parametrize("requires", ["sbicore>=1,<2", "sbicore>=9; extra == 'dev'", "other>=9", "n0t a requ!"])
    @pytest.mark.parametrize("core", ["1.2.0", "1.3.0.dev1"])
    def test_requirements_that_hold_or_concern_others_pass(self, requires, core, fake_distribution, monkeypatch):
        monkeypatch.setattr("sbicore._compat.core_version", lambda: core)
        fake_distribution("acme", requires=[requires])
        assert rows()[0]["state"] == "ok"

    @pytest.mark.parametrize(
        "source", ["Wave = 3", "def Wave(): ...", "from sbicore.config import SummaryNetworkConfig as Wave"]
    )
    def test_entry_point_of_the_wrong_type_is_refused(self, source, fake_distribution):
        fake_distribution("acme", source=source)
        with pytest.raises(InvalidComponentError, match="acme:Wave of acme, registered as 'wave', is not a SubnetCon"):
            sbicore.configure("wave", kind="subnet")

    def test_unreadable_metadata_are_left_out_with_a_warning(self, fake_distribution):
        fake_distribution("acme")
        (fake_distribution("ruin") / "entry_points.txt").write_text("[sbicore.subnets]\nno equals sign\n")
        with pytest.warns(PluginWarning, match=r"ruin-1\.0\.dist-info cannot be read and is left out"):
            assert [row["distribution"] for row in rows()] == ["acme"]


class TestAmbiguous:
    @pytest.fixture
    def _two(self, fake_distribution):
        fake_distribution("acme-sbi")
        fake_distribution("zeta")

    @pytest.mark.usefixtures("_two")
    def test_two_distributions_of_one_name_are_listed(self):
        with pytest.raises(AmbiguousComponentError) as caught:
            sbicore.configure("wave", kind="subnet")
        assert str(caught.value).split("\n") == [
            "subnet 'wave' is provided by 2 distributions: acme-sbi (acme_sbi:Wave), zeta (zeta:Wave)",
            "Choose one, e.g. 'acme-sbi/wave'",
        ]
        assert caught.value.candidates == ["acme-sbi/wave", "zeta/wave"]
        assert [row["state"] for row in rows()] == ["ambiguous", "ambiguous"]

    @pytest.mark.usefixtures("_two")
    @pytest.mark.parametrize(("name", "module"), [("zeta/wave", "zeta"), ("acme_sbi/wave", "acme_sbi")])
    def test_a_qualified_name_selects_one(self, name, module):
        assert type(sbicore.configure(name)).__module__ == module
        assert type(sbicore.configure({"name": name, "depth": 2}, kind="subnet")).__module__ == module

    @pytest.mark.usefixtures("_two")
    def test_switching_one_off_selects_the_other(self, monkeypatch):
        monkeypatch.setenv("SBICORE_DISABLE", "zeta")
        assert type(sbicore.configure("wave")).__module__ == "acme_sbi"
        assert [row["state"] for row in rows()] == ["ok", "disabled"]


class TestDisable:
    @pytest.mark.parametrize("value", ["wave", "Acme.SBI", "mlp, acme_sbi"])
    def test_names_and_distributions_can_be_switched_off(self, value, fake_distribution, monkeypatch):
        monkeypatch.setenv("SBICORE_DISABLE", value)
        fake_distribution("acme-sbi", source="raise SystemExit")
        assert [row["state"] for row in rows()] == ["disabled"]
        with pytest.raises(UnknownComponentError, match="'wave' is switched off by SBICORE_DISABLE") as caught:
            sbicore.configure("wave", kind="subnet")
        assert caught.value.disabled

    def test_a_name_that_switches_nothing_off_is_told(self, fake_distribution, monkeypatch):
        monkeypatch.setenv("SBICORE_DISABLE", "wave,acne_sbi")
        fake_distribution("acme-sbi")
        with pytest.warns(PluginWarning, match="SBICORE_DISABLE names acne_sbi: no component or distribution here"):
            assert [row["state"] for row in rows()] == ["disabled"]


class TestSession:
    def test_a_registered_class_is_known_by_its_name(self):
        assert sbicore.register(SessionWave) is SessionWave
        assert sbicore.configure("wave") == SessionWave()
        assert rows()[0]["distribution"] == "this session"

    def test_registration_may_last_for_a_block_only(self):
        with sbicore.registered(SessionWave):
            assert sbicore.configure("wave", kind="subnet") == SessionWave()
        with pytest.raises(UnknownComponentError):
            sbicore.configure("wave", kind="subnet")

    def test_it_warns_when_it_hides_an_installed_one_which_stays_within_reach(self, fake_distribution):
        fake_distribution("acme")
        with pytest.warns(PluginWarning, match="'wave' of this session hides that of acme"):
            sbicore.register(SessionWave)
        assert type(sbicore.configure("wave")) is SessionWave
        assert type(sbicore.configure("acme/wave")).__module__ == "acme"

    def test_registering_again_replaces_without_a_warning(self):
        sbicore.register(SessionWave)
        sbicore.register(SessionWave)
        assert len(rows()) == 1

    @pytest.mark.parametrize("wrong", [3, int, SessionWave(), SubnetConfig])
    def test_only_named_config_classes_can_be_registered(self, wrong):
        with pytest.raises(InvalidComponentError, match=r"takes a config class|does not say its name"):
            sbicore.register(wrong)


def test_every_plugin_error_can_be_caught_as_one():
    with pytest.raises(PluginError):
        sbicore.configure("nothing_like_it")
