"""What is public, and what importing it costs."""

import json
from pathlib import Path

import pytest

import liter_llm
from liter_llm import _models, _request, _types

SCHEMAS = Path(__file__).resolve().parents[2] / "bindings" / "conformance" / "schemas"


def test_all_is_exactly_the_public_surface():
    for name in liter_llm.__all__:
        assert getattr(liter_llm, name) is not None
    public = {name for name in vars(liter_llm) if not name.startswith("_")}
    public -= {"TYPE_CHECKING", *liter_llm._TRANSPORTS}
    assert public == {name for name in liter_llm.__all__ if not name.startswith("_")}
    assert sorted(liter_llm.__all__) == list(liter_llm.__all__)
    assert set(liter_llm.__all__) <= set(dir(liter_llm))


def test_modules_are_private():
    folder = Path(liter_llm.__file__).parent
    public = {path.stem for path in folder.glob("*.py") if not path.name.startswith("_")}
    assert public == set(liter_llm._TRANSPORTS)
    assert (folder / "py.typed").exists()


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="frobnicate"):
        _ = liter_llm.frobnicate


def test_what_an_import_does_not_do(run_python):
    script = """
import sys, threading
import liter_llm
late = {"asyncio", "typing", "inspect", "dataclasses", "json", "orjson", "socket", "ssl", "uuid"}
print(sorted(late & set(sys.modules)), threading.active_count())
"""
    assert run_python(script, flags=("-I",)) == "[] 1\n"


def test_option_names():
    assert set(_types.Options.__annotations__) == _request.OPTION_NAMES
    assert not _request.OPTION_NAMES & set(_types._RequestMembers.__annotations__)


PAIRS = [
    ("request", None, _types.ChatRequest),
    ("options", None, _types.Options),
    ("options", "RetryDocument", _types.Retry),
    ("options", "FanoutDocument", _types.Fanout),
    ("options", "HedgeDocument", _types.Hedge),
    ("options", "LimitDocument", _types.Limit),
    ("config", None, _types.Config),
    ("config", "ProviderDocument", _types.ProviderConfig),
    ("config", "TimeoutsDocument", _types.Timeouts),
    ("config", "LimitsDocument", _types.Limits),
    ("config", "ModelDocument", _types.ModelConfig),
    ("config", "ProbeDocument", _types.HealthProbe),
    ("config", "RouteDocument", _types.Route),
    ("config", "TargetDocument", _types.Target),
    ("config", "ParametersDocument", _types.Parameters),
    ("config", "ReasoningDocument", _types.Reasoning),
    ("config", "RetryDocument", _types.Retry),
    ("config", "HedgeDocument", _types.Hedge),
    ("config", "BudgetDocument", _types.RetryBudget),
    ("config", "LimitDocument", _types.Limit),
    ("response", None, liter_llm.Response),
    ("response", "Attempt", _models.Attempt),
    ("chunk", None, liter_llm.Chunk),
    ("many", None, liter_llm.MultiResponse),
]
NOT_YET = {"baggage"}
"""Options that an engine may lack; `text` below is made by the package."""


@pytest.mark.parametrize(("schema", "definition", "ours"), PAIRS)
def test_types_against_schemas(schema, definition, ours):
    document = json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8"))
    members = (document["$defs"][definition] if definition else document)["properties"]
    names = set(ours.__annotations__ or ours.__slots__)
    assert set(members) - {"text"} == names - NOT_YET


def test_types_are_models_too():
    """A web application's request bodies are checked by them."""
    pydantic = pytest.importorskip("pydantic")
    for kind, value in (
        (_types.ChatRequest, {"messages": [{"role": "user", "content": "Hello"}], "n": 2}),
        (_types.Config, {"providers": {"openai": {"timeouts": {"connect_ms": 5}}}, "retry": False}),
        (_types.Options, {"hedge": {"after_ms": "p95"}, "fallback": ["openai"]}),
    ):
        adapter = pydantic.TypeAdapter(kind)
        assert adapter.dump_python(adapter.validate_python(value)) == value
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_python({next(iter(value)): 7})


def test_the_version_is_the_engines():
    from liter_llm._library import ffi, lib

    assert ffi.string(lib.liter_llm_version()).decode() == liter_llm.__version__


def test_a_missing_library(run_python):
    script = """
try:
    import liter_llm
except ImportError as error:
    assert "/nowhere.so" in str(error) and "pip install" in str(error), error
else:
    raise SystemExit("imported")
"""
    run_python(script, env={"LITER_LLM_LIB": "/nowhere.so"})


def test_a_library_of_another_abi(run_python, tmp_path):
    import subprocess

    source, library = tmp_path / "other.c", tmp_path / "other.so"
    source.write_text("unsigned liter_llm_abi_version(void) { return 999; }")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    script = """
try:
    import liter_llm
except ImportError as error:
    assert "ABI version 999" in str(error) and "needs 1" in str(error), error
else:
    raise SystemExit("imported")
"""
    run_python(script, env={"LITER_LLM_LIB": str(library)})
