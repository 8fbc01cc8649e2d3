"""Tests of the suite itself: what is wrong must be seen. `python3 suite/selftest.py`."""

from __future__ import annotations

import json
import sys
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from suite import canonical, cases, compare, corpus, facts, jsontext, kept, plan  # noqa: E402
from suite.check import Checker  # noqa: E402
from suite.report import Report  # noqa: E402


def a_case(**members: Any) -> dict[str, Any]:
    """A small case that is well-formed."""
    return {
        "about": "A case.",
        "config": {"providers": {"openai": {"base_url": "$SIM/v1", "api_key": "sk-conf"}}},
        "provider": "openai",
        "request": {"prompt": "x"},
        "via": ["invoke", "call"],
        "outcome": {"error": {"kind": "timeout"}},
    } | members


class Cases(unittest.TestCase):
    """Reading cases and making plans."""

    def test_a_slip_is_an_error(self) -> None:
        cases.check(a_case())
        for wrong in (
            a_case(abuot="x"),
            a_case(via=["call", "invoke"]),
            a_case(via=["submitt"]),
            a_case(outcome={"eror": {}}),
            a_case(outcome={"error": {}}),
            a_case(request_raw={"text": "x"}),
            a_case(exchanges=[{"reply": {"staus": 200}}]),
            a_case(exchanges=[{"expect": {"headers": []}}]),
            a_case(exchanges=[{"reply": {"body": "", "sse": []}}]),
            a_case(cancel_after=1),
            a_case(provider="nobody"),
        ):
            with self.assertRaises(cases.CaseError, msg=str(wrong)):
                cases.check(wrong)

    def test_the_plan_is_ready_made(self) -> None:
        document = a_case(via=["invoke", "stream"], options={"timeout_ms": 9})
        made = plan.make([cases.Case("a/b", document)], "c", "http://h")
        invoke, stream = (row.split("\t") for row in made.rows)
        self.assertEqual(invoke[:4], ["a/b", "invoke", "a/b", "-"])
        self.assertEqual(invoke[4], 'j:{"prompt":"x","options":{"timeout_ms":9}}')
        entry = made.providers["a/b"]
        self.assertEqual(entry["kind"], "openai")
        self.assertEqual(entry["base_url"], "http://h/case/c.invoke/a~b/v1")
        self.assertEqual(stream[4], 'j:{"prompt":"x","stream":true}')
        self.assertEqual(stream[5], 'j:{"provider":"openai","timeout_ms":9}')

    def test_what_is_heavy_comes_first(self) -> None:
        quick = {"exchanges": [{"reply": {"never": True}}]}
        heavy = {"exchanges": [{"reply": {"body": ""}}, {"reply": {"endless": "body"}}]}
        given = [cases.Case(name, a_case(**more)) for name, more in (("a", quick), ("b", heavy))]
        made = plan.make([*given, cases.Case("c", a_case())], "c", "http://h")
        self.assertEqual([case for case, _ in made.keys], ["b", "b", "a", "a", "c", "c"])


class Comparison(unittest.TestCase):
    """Comparing documents and streams."""

    def test_what_is_passed_through_is_judged_whole(self) -> None:
        head = {"object": "http.head", "status": 200, "headers": []}
        data = [{"object": "http.data", "data_base64": text} for text in ("4pg=", "gw==")]
        result = {"object": "http.response", "status": 200, "headers": [], "liter": {}}
        outcome = canonical.strip({"events": [head, *data], "result": result})
        self.assertEqual(outcome["events"], [head, {"object": "http.data", "data": "\u2603"}])
        self.assertIsNone(compare.stream_difference(outcome))
        for wrong in (
            outcome | {"events": []},
            outcome | {"events": outcome["events"][1:]},
            outcome | {"events": [head, head]},
            outcome | {"result": result | {"status": 500}},
            outcome | {"result": result | {"body": ""}},
        ):
            self.assertIsNotNone(compare.stream_difference(wrong), wrong)

    def test_differences_are_found(self) -> None:
        for expected, actual, exact in (
            ({"a": 1}, {"a": 2}, False),
            ({"a": 1}, {}, False),
            ({"a": 1}, {"a": True}, False),
            ({"a": [1]}, {"a": [1, 2]}, False),
            ({"a": 1}, {"a": 1, "b": 2}, True),
            ({"a": None}, {"a": 0}, False),
            ({"a": "x"}, {"a": "x "}, False),
        ):
            self.assertIsNotNone(compare.first_difference(expected, actual, exact))
        self.assertIsNone(compare.first_difference({"a": None}, {"b": 1}, False))

    def test_numbers_keep_their_spelling(self) -> None:
        text = '{"a":0.10,"b":1e5,"c":12345678901234567890,"d":"0.10"}'
        self.assertEqual(jsontext.compact(jsontext.parse(text)), text)
        self.assertNotEqual(jsontext.parse("0.10"), jsontext.parse("0.1"))

    def test_only_volatile_members_are_taken_out(self) -> None:
        line = (
            '{"case":"a","via":"call","result":{"liter":{"v":1,"request_id":"r","attempts":'
            '[{"target":"t","ms":3}],"timing":{"total_ms":1.5},"ratelimit":{"ms":"7"}}}}'
        )
        stripped = canonical.text(canonical.strip(jsontext.parse(line)))
        wanted = '{"result":{"liter":{"v":1,"attempts":[{"target":"t"}],"ratelimit":{"ms":"7"}}}}'
        self.assertEqual(stripped, wanted)

    def test_attempts_are_compared_whole(self) -> None:
        attempts = [{"target": "t", "kind": "timeout", "may_be_billed": True}]
        expected = {"attempts": [{"target": "t", "kind": "timeout"}]}
        actual = {"attempts": attempts, "kind": "timeout"}
        self.assertIsNotNone(compare.first_difference(expected, actual, False))
        self.assertIsNone(compare.first_difference({"attempts": attempts}, actual, False))

    def test_the_parts_of_a_fan_out_are_stripped_too(self) -> None:
        attempts = [{"target": "t", "ms": 3}]
        error = {"message": "http://h:1/case/c.call/x~y/v1", "attempts": attempts}
        liter = {"v": 1, "request_id": "r", "timing": {}, "attempts": attempts}
        many = {"results": [{"liter": liter}], "failures": [{"error": error}]}
        self.assertEqual(
            canonical.strip(json.loads(json.dumps({"result": many})))["result"],
            {
                "results": [{"liter": {"v": 1, "attempts": [{"target": "t"}]}}],
                "failures": [{"error": {"message": "$SIM/v1", "attempts": [{"target": "t"}]}}],
            },
        )

    def test_chunks_count_since_the_last_reset(self) -> None:
        def chunk(text: str, reason: str | None = None) -> dict[str, Any]:
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
            return {"object": "chat.completion.chunk", "choices": [choice]}

        reset = {"object": "chat.completion.reset", "reason": "stream_broken"}
        message = {"role": "assistant", "content": "ab"}
        result = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        events = [chunk("x"), reset, chunk("y"), reset, chunk("a"), chunk("b", "stop")]
        self.assertIsNone(compare.stream_difference({"events": events, "result": result}))
        del events[3]
        self.assertIsNotNone(compare.stream_difference({"events": events, "result": result}))
        broken = {"partial": {"text": "y"}}
        self.assertIsNone(compare.stream_difference({"events": events[:3], "error": broken}))
        broken = {"partial": {"text": "xy"}}
        self.assertIsNotNone(compare.stream_difference({"events": events[:3], "error": broken}))

    def test_a_lost_chunk_is_found(self) -> None:
        def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
            return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

        events = [chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop")]
        message = {"role": "assistant", "content": "ab"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {"events": events, "result": {"choices": [choice]}}
        self.assertIsNone(compare.stream_difference(whole))
        self.assertIsNotNone(compare.stream_difference(whole | {"events": events[1:]}))
        self.assertIsNotNone(compare.stream_difference(whole | {"events": events[:2]}))
        broken = {"events": events[:1], "error": {"partial": {"text": "ab"}}}
        self.assertIsNotNone(compare.stream_difference(broken))


class Kept(unittest.TestCase):
    """Judging recorded answers that came out of the cache."""

    def judge(self, reason: str | None, liter: dict[str, Any], **second: Any) -> str | None:
        """What is wrong with the second answer; the first one ended with `reason`."""
        choice = {"message": {"content": "a"}, "finish_reason": reason}
        first = {"choices": [choice], "warnings": [], "liter": {"v": 1, "attempts": [{}]}}
        record = corpus.Record("f/1", "openai", {"facts": {"kind": "chat"}, "streaming": False})
        result = first | second | {"liter": {"v": 1, "attempts": []} | liter}
        return kept.judge(record, {"result": result}, {"result": first})

    def test_what_comes_out_is_what_went_in(self) -> None:
        hit = {"cache": {"tier": "memory"}}
        self.assertIsNone(self.judge("stop", hit))
        self.assertIsNotNone(self.judge("stop", {}))
        self.assertIsNotNone(self.judge("stop", hit | {"v": 2}))
        self.assertIsNotNone(self.judge("stop", hit, choices=[]))

    def test_a_filtered_or_broken_answer_is_not_kept(self) -> None:
        hit = {"cache": {"tier": "memory"}}
        for reason in ("content_filter", None):
            self.assertIsNone(self.judge(reason, {}))
            self.assertIsNotNone(self.judge(reason, hit))


class Verdicts(unittest.TestCase):
    """Judging what a runner printed."""

    def judge(self, *lines: str) -> dict[tuple[str, str, str], list[str]]:
        """Failures of one case whose rows are `call` and `invoke`."""
        checker, report = Checker([cases.Case("a/b", a_case())], [], 1), Report()
        keys = [("a/b", "invoke"), ("a/b", "call")]
        checker.take("rust", keys, [line.encode() for line in lines], report)
        return report.failures

    def line(self, via: str, **members: Any) -> str:
        """An outcome as a runner prints it."""
        error = {"kind": "timeout", "message": "m", "retryable": True} | members
        return json.dumps({"case": "a/b", "via": via, "error": error})

    def test_all_is_well(self) -> None:
        self.assertEqual(self.judge(self.line("invoke"), self.line("call")), {})

    def test_faults(self) -> None:
        good = self.line("invoke")
        for lines in (
            [good],
            [good, good, self.line("call")],
            [good, self.line("call"), self.line("submit")],
            [good, self.line("call", kind="quota")],
            [good, self.line("call", kind="no_such_kind")],
            [good, self.line("call", retryable="yes")],
            [good, self.line("call", message="the key sk-conf-openai is wrong")],
            [good, '{"case":"a/b","via":"call","result":{}}'],
        ):
            self.assertTrue(self.judge(*lines), lines)

    def test_languages_must_agree(self) -> None:
        checker, report = Checker([cases.Case("a/b", a_case())], [], 1), Report()
        for runner, message in (("rust", "one"), ("c", "other")):
            line = self.line("call", message=message).encode()
            checker.take(runner, [("a/b", "call")], [line], report)
        self.assertEqual(report.failures, {})
        checker.languages(report)
        self.assertEqual(list(report.failures), [("a/b", "call", "c")])


class Facts(unittest.TestCase):
    """Judging recorded exchanges."""

    def test_a_broken_stream_is_no_success(self) -> None:
        said = {"kind": "chat", "text": "a", "finish": None, "done_marker": False}
        record = corpus.Record("f/1", "openai", {"facts": said, "streaming": True})
        self.assertTrue(list(facts.judge(record, {"result": {}})))
        error = {"kind": "stream_broken", "message": "m", "partial": {"text": "a"}}
        self.assertEqual(list(facts.judge(record, {"error": error})), [])
        error["partial"] = {"text": ""}
        self.assertTrue(list(facts.judge(record, {"error": error})))

    def test_a_vector_less_is_no_success(self) -> None:
        said = {"kind": "embed", "count": 2, "dims": 1, "encoding": "float", "usage": None}
        record = corpus.Record("openai__embeddings/1", "openai", {"facts": said})
        self.assertEqual(len(corpus.request(record)["input"]), 2)
        two = [{"embedding": "AACAPw=="}, {"embedding": "AAAAAA=="}]
        answer: dict[str, Any] = {"encoding": "base64", "data": two, "liter": {}}
        self.assertEqual(list(facts.judge(record, {"result": answer})), [])
        for wrong in ([two[0]], [two[0], {"embedding": "AACAPwAAgD8="}]):
            self.assertTrue(list(facts.judge(record, {"result": answer | {"data": wrong}})))


if __name__ == "__main__":
    unittest.main()
