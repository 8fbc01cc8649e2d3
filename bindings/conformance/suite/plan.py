"""Expands cases to the plan that a runner reads: one row a (case, via).

The plan is made so that a runner needs no knowledge of the case format and no JSON library: each
row holds ready-made documents. README.md, "Writing a runner", describes the row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cases import Case
from .jsontext import compact

ABSENT = "-"

# A case is of one exchange, unless it says otherwise: in its configuration, or for `invoke`, whose
# configuration all cases share, in its options.
ONE_ATTEMPT: dict[str, Any] = {"retry": False}


@dataclass
class Plan:
    """One runner's rows, and the configuration behind its `invoke` rows."""

    rows: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    providers: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> dict[str, str]:
        """Writes both files and returns the environment variables that name them."""
        folder.mkdir(parents=True, exist_ok=True)
        plan, config = folder / "plan.tsv", folder / "config.json"
        plan.write_text("".join(row + "\n" for row in self.rows), encoding="utf-8")
        document = ONE_ATTEMPT | {"providers": self.providers}
        config.write_text(compact(document), encoding="utf-8")
        return {"LITER_LLM_PLAN": str(plan), "LITER_LLM_CONFIG": str(config)}


def run_name(runner: str, via: str) -> str:
    """The word under which the simulator serves a runner's rows of one via."""
    return f"{runner}.{via}"


def make(cases: list[Case], runner: str, base: str) -> Plan:
    """The plan of `runner`; `base` is the simulator's URL."""
    plan = Plan()
    # First what keeps the simulator busy for seconds, so that it is over when rows come whose
    # second attempt has to be faster than the first one's timer.
    for case in sorted(cases, key=lambda case: not _is_heavy(case)):
        for via in case.vias:
            url = f"{base}/case/{run_name(runner, via)}/{case.id.replace('/', '~')}"
            plan.rows.append(_row(case, via, url, plan))
            plan.keys.append((case.id, via))
    return plan


def _is_heavy(case: Case) -> bool:
    """Whether a reply is endless, or megabytes that the simulator compresses."""
    exchanges = case.document.get("exchanges", [])
    return any({"endless", "gzip"} & exchange.get("reply", {}).keys() for exchange in exchanges)


def _row(case: Case, via: str, url: str, plan: Plan) -> str:
    document = case.document
    config = _fill(document.get("config"), url)
    provider = document.get("provider", "")
    options = document.get("options")
    request = _fill(document.get("request"), url)
    if via == "invoke":
        entry = config["providers"][provider]
        plan.providers[case.id] = {"kind": entry.get("kind", provider)} | entry
        provider, config = case.id, None
        if options is not None and request is not None:
            request = request | {"options": request.get("options", {}) | options}
            options = None
    if config is not None:
        config = ONE_ATTEMPT | config
    if via != "invoke" and provider:
        # Only `invoke` has an argument for the provider; elsewhere it is an option.
        options = {"provider": provider} | (options or {})
    if via in ("stream", "collect") and request is not None and "stream" not in request:
        request = request | {"stream": True}
    fields = [
        case.id,
        via,
        provider or ABSENT,
        _json(config),
        _raw(document["request_raw"]) if request is None else _json(request),
        _json(options),
        str(document.get("cancel_after", ABSENT)),
    ]
    for earlier in document.get("before", []):
        own = earlier.get("options")
        own = {"provider": document["provider"]} | (own or {}) if document.get("provider") else own
        fields += [_json(_fill(earlier["request"], url)), _json(own)]
    return "\t".join(fields)


def _json(value: Any) -> str:
    return ABSENT if value is None else "j:" + compact(value)


def _raw(raw: dict[str, Any]) -> str:
    if "repeat" in raw:
        unit, times = raw["repeat"]
        texts = (raw.get("prefix", ""), unit, raw.get("suffix", ""))
        prefix, unit, suffix = (text.encode().hex() for text in texts)
        return f"r:{prefix}:{unit}:{times}:{suffix}"
    body = raw["hex"] if "hex" in raw else raw["text"].encode().hex()
    return "x:" + body.replace(" ", "")


def _fill(value: Any, url: str) -> Any:
    """Puts the case's base URL in place of `$SIM`."""
    if isinstance(value, str):
        return value.replace("$SIM", url)
    if isinstance(value, list):
        return [_fill(item, url) for item in value]
    if isinstance(value, dict):
        return {name: _fill(member, url) for name, member in value.items()}
    return value
