"""Public names that appear when they are first used."""

from __future__ import annotations

import importlib
import sys
from typing import ClassVar

import pytest

import sbicore
from sbicore import _index
from sbicore._kinds import KINDS
from sbicore.config import IntegratorConfig, frozen
from sbicore.errors import AmbiguousComponentError, UnknownComponentError


@pytest.fixture
def known(monkeypatch):
    row = {"distribution": "sbicore-ripple", "class": "Ripple"}
    monkeypatch.setattr(_index, "catalogue", lambda: {"subnet": {"ripple": row}})


class TestTop:
    def test_everything_public_is_listed(self):
        assert {"build", "configure", "networks", "__version__"} <= set(dir(sbicore))

    def test_misspelt_name_suggests_the_nearest(self):
        with pytest.raises(AttributeError, match="module 'sbicore' has no attribute 'biuld'; did you mean 'build'"):
            _ = sbicore.biuld

    @pytest.mark.parametrize("name", sorted({kind.namespace for kind in KINDS.values()}))
    def test_every_kind_has_its_namespace(self, name):
        assert getattr(sbicore, name) is importlib.import_module(f"sbicore.{name}")
        assert name in sbicore.__all__


class TestNamespace:
    def test_class_of_an_installed_plugin_is_there_without_listing_importing_it(self, fake_distribution):
        fake_distribution("acme", points="[sbicore.subnets]\nwave = acme:Wave [extra]\n")
        assert "Wave" in dir(sbicore.networks)
        assert "acme" not in sys.modules
        assert sbicore.networks.Wave is sys.modules["acme"].Wave

    def test_package_installed_since_is_found(self, fake_distribution):
        assert "Wave" not in dir(sbicore.networks)
        fake_distribution("acme")
        assert sbicore.networks.Wave.name == "wave"

    def test_namespaces_of_core_hold_other_plugins_too(self):
        @frozen(kw_only=True)
        class Leapfrog(IntegratorConfig):
            name: ClassVar[str] = "leapfrog"
            order: ClassVar[int] = 2

        with sbicore.registered(Leapfrog):
            assert sbicore.integrators.Leapfrog is Leapfrog
        assert "Leapfrog" not in dir(sbicore.integrators)

    @pytest.mark.usefixtures("known")
    def test_known_class_of_a_missing_plugin_gives_the_install_command(self):
        assert "Ripple" in dir(sbicore.networks)
        with pytest.raises(UnknownComponentError, match=r"pip install .*sbicore-ripple"):
            _ = sbicore.networks.Ripple

    @pytest.mark.usefixtures("known")
    @pytest.mark.parametrize(("name", "near"), [("ripple", "Ripple"), ("Riple", "Ripple")])
    def test_any_other_name_is_missing_as_usual(self, name, near):
        message = f"module 'sbicore.networks' has no attribute '{name}'; did you mean '{near}'"
        with pytest.raises(AttributeError, match=message):
            getattr(sbicore.networks, name)

    def test_the_nearest_name_is_found_in_any_case(self):
        with pytest.raises(AttributeError, match="did you mean 'RK4'"):
            _ = sbicore.integrators.RK5

    def test_private_names_are_missing_without_a_search(self, monkeypatch):
        with monkeypatch.context() as patch:
            patch.setattr(_index, "entries", lambda *_: pytest.fail("searched"))
            assert not hasattr(sbicore.networks, "_ipython_display_")

    def test_a_class_name_of_two_components_is_ambiguous(self, fake_distribution):
        fake_distribution("acme")
        fake_distribution("zeta", points="[sbicore.subnets]\nother_wave = zeta:Wave\n")
        with pytest.raises(AmbiguousComponentError, match="Use one by its own name: 'other_wave', 'wave'"):
            _ = sbicore.networks.Wave


class TestDiagnostics:
    def test_missing_plugin_gives_the_install_command(self, monkeypatch):
        monkeypatch.setattr("sbicore.diagnostics._PLUGIN", "sbicore_diagnostics_not_there")
        with pytest.raises(UnknownComponentError, match=r"pip install .*sbicore-diagnostics"):
            _ = sbicore.diagnostics.c2st
