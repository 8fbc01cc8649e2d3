"""Both JSON libraries: what one writes, reads and refuses, the other does too."""

import enum
import json
import math
import random
import sys

import pytest

import liter_llm
from liter_llm import _json

pytest.importorskip("orjson")
_json.choose()

# Whole numbers around the limits of 64 bits and of 19 digits, and what looks like them.
NUMBERS = [
    *(
        sign * (base + step)
        for sign in (1, -1)
        for base in (2**53, 2**63, 2**64)
        for step in (-1, 0, 1)
    ),
    *(10**digits + step for digits in (17, 18, 19, 20, 400) for step in (-1, 0)),
    0,
    -0.0,
    0.1,
    1e16,
    1e-7,
    5e-324,
    1.7976931348623157e308,
    0.1234567890123456,
    1e22,
    123456789012345680.0,
]
SPELLED = ["1E5", "1e+05", "-0", "0.10", "12345678901234567890.5", "1234567890123456789012e-3"]
TEXTS = [
    "",
    "null",
    'a"b\\c/d',
    "\0\x01\x1f\x7f\x80\x85\xa0",
    "\u2028\u2029\ufeff\ufffd\uffff",
    "日本語 🎉 𝔘𝔫𝔦",
    "0" * 40,
    "\\u0000",
    "]}\n{",
]


class Number(enum.IntEnum):
    ONE = 1


class Word(str, enum.Enum):
    A = "a"


class Sub(dict):
    pass


class Text(str):
    __slots__ = ()


VALUES = [
    *TEXTS,
    *NUMBERS,
    None,
    True,
    [],
    {},
    (1, (2,)),
    Number.ONE,
    Word.A,
    Sub(a=Sub()),
    Text("x"),
    {7: 2, None: 3, True: 4, 1.5: 5},
    {Word.A: 1, Text("b"): 2},
    {"a": {"b": [{"c": None}]}},
]
REFUSED = [
    math.nan,
    math.inf,
    "\ud800",
    {"\udfff": 1},
    [{"a": "\ud83c"}],
    {1, 2},
    object(),
    1j,
    {(1, 2): 3},
    10**5000,
    b"x",
]


def same(one, other):
    """Equal, with equal types all the way down, and equal signs of zero."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and repr(one) == repr(other)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_written_alike(value):
    """The two may spell a float otherwise (`1e16`, `1e+16`), but it is the same number."""
    fast, standard = _json.fast_dumps({"a": value}), _json.standard_dumps({"a": value})
    assert same(json.loads(fast), json.loads(standard))
    if not isinstance(value, float):
        assert fast == standard


@pytest.mark.parametrize("value", REFUSED, ids=range(len(REFUSED)))
def test_refused_alike(value):
    said = []
    for dumps in (_json.fast_dumps, _json.standard_dumps):
        with pytest.raises(liter_llm.BadRequestError) as caught:
            dumps({"a": value})
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("depth", [100, 128, 260, 300])
def test_depth(depth):
    value: object = 1
    for _ in range(depth):
        value = [value]
    fast, standard = _json.fast_dumps({"a": value}), _json.standard_dumps({"a": value})
    assert fast == standard
    assert same(_json.fast_loads(fast), _json.standard_loads(fast))


def documents():
    """Documents as the engine writes them, and some that are hostile."""
    for value in VALUES:
        yield json.dumps({"a": value} if not isinstance(value, dict) else value, ensure_ascii=False)
    for number in SPELLED:
        yield f'{{"a":{number},"b":[{number},-{number.lstrip("-")}]}}'
    yield '{"a":1,"a":2,"b":{"c":1,"c":12345678901234567890}}'
    yield '{"a":"\\u00e9\\ud83c\\udf89\\/\\b\\f\\n\\r\\t\\"\\\\"}'
    random_ = random.Random(20261129)
    for _ in range(300):
        digits = (
            "".join(random_.choices("0123456789", k=random_.randrange(1, 25))).lstrip("0") or "0"
        )
        fraction = random_.choice(["", "", ".5", ".123456789", "e3", "E-2"])
        text = random_.choice(TEXTS)
        yield (
            json.dumps({text: [text]})[:-1]
            + f',"n":{random_.choice(["", "-"])}{digits}{fraction}}}'
        )


def test_read_alike():
    several = [document.encode() for document in documents()]
    for document in several:
        standard = _json.standard_loads(document)
        assert same(_json.fast_loads(document), standard), document
        assert same(_json.fast_loads(bytearray(document)), standard), document
    for at in range(0, len(several), 7):
        batch = bytearray(
            b"\n".join(one for one in several[at : at + 7] if b"\n" not in one) + b"\n"
        )
        assert same(list(_json.fast_lines(batch)), list(_json.standard_lines(batch)))


def test_a_large_number_of_an_answer(simulator, run_python):
    """It keeps its digits, with orjson too."""
    script = """
import sys
import liter_llm
print(liter_llm.generate("Hello"), "orjson" in sys.modules)
"""
    assert run_python(script) == f"You said: Hello {'orjson' in sys.modules}\n"
    document = b'{"a":18446744073709551616}'
    assert _json.loads(document)["a"] == 2**64
