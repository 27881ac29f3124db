"""Listings in docstrings, in docs/python.md and in the examples."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import runpy
from pathlib import Path
from typing import Any

import pytest

import tapline

pytest.importorskip("sklearn")

from tapline._estimators import defaults_of  # noqa: E402
from tapline.model import ready_made  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MODULES = [
    module.name for module in pkgutil.iter_modules(tapline.__path__, "tapline.") if module.name not in ("tapline.aeon", "tapline._tapline")
]


@pytest.mark.parametrize("name", ["tapline", *MODULES])
def test_given_a_module_when_its_docstrings_run_then_as_they_say(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", tapline.__all__)
def test_given_a_public_name_when_read_then_it_and_its_methods_say_what_they_do(name: str) -> None:
    thing = getattr(tapline, name)
    assert thing.__doc__
    for method, member in vars(thing).items():
        if callable(member) and not method.startswith("_"):
            assert getattr(thing, method).__doc__, method


TRAINED = ["FCN", "ResNet", "InceptionTime", "LITETime", "TCN", "TimeCNN"]


@pytest.mark.parametrize("name", [name + kind for name in TRAINED for kind in ("Classifier", "Regressor")])
def test_given_published_settings_when_described_then_those_of_the_library(name: str) -> None:
    kind = getattr(tapline, name)
    defaults = defaults_of(kind._architecture, 10**6)
    expected = [f"Published: {defaults.epochs} epochs", f'schedule "{defaults.schedule}"', f" {defaults.batch}, "]
    if defaults.members > 1:
        expected.append(f"{defaults.members} members")
    description = " ".join(kind.__doc__.replace("`", "").split())
    assert [text for text in expected if text not in description] == []


def test_given_ready_made_networks_when_described_then_all_of_them() -> None:
    assert [name for name in ready_made() if f'"{name}"' not in (tapline.Model.__doc__ or "")] == []


@pytest.mark.parametrize("name", ["python.md", "tutorials/keras.md"])
def test_given_a_page_when_its_listings_run_then_without_an_error(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    page = ROOT / "docs" / name
    if not page.exists():
        pytest.skip("the documents are not part of this tree")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = page.read_text(encoding="utf-8").split("```python\n")[1:]
    assert blocks
    for block in blocks:
        exec(compile(block.partition("```")[0], str(page), "exec"), names)


@pytest.mark.parametrize("path", sorted((ROOT / "python" / "examples").glob("*.py")), ids=lambda path: path.name)
def test_given_an_example_when_run_then_it_draws(path: Path, tmp_path: Path, monkeypatch: Any) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert list(tmp_path.glob("*.png"))
