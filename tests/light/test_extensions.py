"""Extension plugins: asked in their turn, and left out by name when they fail."""

from __future__ import annotations

import textwrap
import warnings
from types import SimpleNamespace

import pytest

import sbicore
from sbicore import _extensions
from sbicore.errors import BrokenPluginError, ConfigError, InvalidComponentError, PluginWarning

HEAD = "from sbicore.hookspecs import hookimpl\n"
POINTS = "[sbicore]\nlogger = {module}\n"


@pytest.fixture
def extension(fake_distribution):
    """Install an extension module with this source; its entry point is `logger`."""

    def install(source, name="acme", **facts):
        points = POINTS.format(module=name.replace("-", "_"))
        fake_distribution(name, points=points, source=HEAD + textwrap.dedent(source), **facts)

    return install


RESOLVER = """
@hookimpl
def sbicore_resolve(kind, name):
    if name.startswith("file:"):
        from sbicore.config import SubnetConfig
        return type(name, (SubnetConfig,), {"name": name})
"""


class TestLoading:
    @pytest.mark.parametrize(
        ("source", "cause"),
        [
            ("import not_there_at_all", "ModuleNotFoundError: No module named 'not_there_at_all'"),
            ("raise SystemExit(1)", "SystemExit: 1"),
            ("@hookimpl\ndef sbicore_resolv(kind, name): ...", "unknown hook 'sbicore_resolv'"),
            ("@hookimpl\ndef sbicore_resolve(kind, nome): ...", "nome"),
        ],
        ids=["missing dependency", "exit", "misspelt hook", "misspelt argument"],
    )
    def test_failing_extension_is_one_warning_that_names_it(self, source, cause, extension):
        extension(source)
        with pytest.warns(PluginWarning) as caught:
            manager = _extensions.manager()
        assert len(caught) == 1
        text = str(caught[0].message)
        assert text.startswith("extension acme/logger is left out: ")
        assert cause in text
        assert [name for name, _ in manager.list_name_plugin()] == ["sbicore"]

    def test_an_extension_that_fails_half_way_is_left_out_whole(self, extension):
        extension("@hookimpl\ndef sbicore_cli(commands): ...\n@hookimpl\ndef sbicore_unknown(): ...")
        with pytest.warns(PluginWarning, match="sbicore_unknown"):
            hooks = _extensions.manager().hook
        assert hooks.sbicore_cli.get_hookimpls() == []

    def test_the_others_are_loaded_all_the_same(self, extension):
        extension("raise ValueError", name="aaa")
        extension(RESOLVER, name="zzz")
        with pytest.warns(PluginWarning, match="aaa/logger"):
            assert sbicore.configure("file:x", kind="subnet").name == "file:x"

    def test_extension_for_another_core_is_not_imported(self, extension, monkeypatch):
        monkeypatch.setattr("sbicore._compat.core_version", lambda: "1.2.0")
        extension("raise SystemExit", requires=["sbicore>=2"])
        with pytest.warns(PluginWarning, match=r"it needs sbicore>=2, and sbicore 1\.2\.0 is installed"):
            _extensions.manager()

    @pytest.mark.parametrize("value", ["acme", "logger"])
    def test_extension_can_be_switched_off(self, value, extension, monkeypatch):
        monkeypatch.setenv("SBICORE_DISABLE", value)
        extension("raise SystemExit")
        assert not _extensions.manager().has_plugin("acme/logger")

    def test_strictly_a_failing_extension_is_an_error(self, extension, monkeypatch):
        monkeypatch.setenv("SBICORE_STRICT", "1")
        extension("raise ValueError('no')")
        with pytest.raises(BrokenPluginError, match="acme/logger is left out: ValueError: no"):
            sbicore.configure("mlp", kind="subnet")


class TestResolving:
    def test_a_resolver_answers_before_core(self, extension):
        extension(RESOLVER)
        assert sbicore.configure("file:x", kind="subnet").name == "file:x"

    def test_a_resolver_that_returns_none_lets_core_answer(self, extension, fake_distribution):
        extension(RESOLVER)
        fake_distribution("other")
        assert type(sbicore.configure("wave", kind="subnet")).__module__ == "other"

    def test_a_resolver_that_raises_is_named(self, extension):
        extension("@hookimpl\ndef sbicore_resolve(kind, name): return {}[name]")
        with pytest.raises(BrokenPluginError) as caught:
            sbicore.configure("wave", kind="subnet")
        assert str(caught.value).split("\n") == [
            "Extension acme/logger failed in sbicore_resolve: KeyError: 'wave'",
            "Leave it out with SBICORE_DISABLE=acme",
        ]
        assert isinstance(caught.value.__cause__, KeyError)

    def test_a_resolver_must_return_a_config_class(self, extension):
        extension("@hookimpl\ndef sbicore_resolve(kind, name): return 3")
        with pytest.raises(InvalidComponentError, match="What was found for 'wave' is not a SubnetConfig: 3"):
            sbicore.configure("wave", kind="subnet")


class TestBuilding:
    @pytest.fixture
    def config(self):
        return SimpleNamespace(name="toy", build=lambda shapes: [shapes])

    def test_a_wrapper_sees_the_module(self, config, extension):
        extension("""
            @hookimpl(wrapper=True)
            def sbicore_build(config, shapes):
                module = yield
                module.append(config.name)
                return module
        """)
        assert _extensions.build(config, "shapes") == ["shapes", "toy"]

    def test_a_wrapper_may_not_exchange_the_module(self, config, extension):
        extension("@hookimpl(wrapper=True)\ndef sbicore_build(config):\n    yield\n    return 'another'")
        with pytest.raises(BrokenPluginError, match="A build wrapper replaced the module of 'toy'"):
            _extensions.build(config, "shapes")

    def test_a_wrapper_that_raises_is_named(self, config, extension):
        extension("@hookimpl(wrapper=True)\ndef sbicore_build(config):\n    yield\n    raise ValueError('no')")
        with pytest.raises(BrokenPluginError, match="Extension acme/logger failed in sbicore_build: ValueError: no"):
            _extensions.build(config, "shapes")

    @pytest.mark.parametrize("error", [ZeroDivisionError("mine"), ConfigError("mine")])
    def test_what_a_component_raises_passes_through_wrappers_unchanged(self, error, extension):
        extension("@hookimpl(wrapper=True)\ndef sbicore_build(config): return (yield)")

        def build(shapes):
            raise error

        with pytest.raises(type(error), match="mine"):
            _extensions.build(SimpleNamespace(name="toy", build=build), None)


class TestFitEvents:
    SOURCE = """
        seen = []
        @hookimpl
        def sbicore_fit_event(event):
            seen.append(event)
            if event == "bad":
                raise ValueError("no")
    """

    def test_events_arrive_and_one_that_raises_ends_only_its_extension(self, extension):
        extension(self.SOURCE, name="first")
        extension(self.SOURCE.replace('"bad"', '"never"'), name="second")
        _extensions.deliver(None, "good")
        with pytest.warns(PluginWarning, match="extension first/logger is left out: ValueError: no"):
            _extensions.deliver(None, "bad")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _extensions.deliver(None, "later")
        import first
        import second

        assert first.seen == ["good", "bad"]
        assert second.seen == ["good", "bad", "later"]
