"""The conformance runner: plays a plan through this package, one JSON line an outcome.

LITER_LLM_PLAN names the plan, one row a line:

    case <TAB> via <TAB> provider <TAB> config <TAB> request <TAB> options <TAB> cancel_after …

A field is `-` (absent), `j:JSON`, `x:hex`, or `r:prefix:unit:times:suffix` (hex, the unit
repeated); case, via, provider and cancel_after are plain. Requests go in as bytes, untouched.
Further pairs of fields are request and options of calls that come before.
"""

import asyncio
import json
import os
import sys
import warnings
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from uuid import uuid4

import liter_llm
from liter_llm import _json, _request

CONCURRENT = 32

# They are compared as members of the answers.
warnings.simplefilter("ignore", liter_llm.LiterLLMWarning)

# Documents are compared with other languages' byte by byte: numbers must keep their spelling, so
# they travel through Python as marked strings.
LOOPING = ("submit", "stream", "collect")
MARK = uuid4().hex
decoder = json.JSONDecoder(parse_float=lambda text: MARK + text + MARK)
_json.choose()
_json.loads = lambda document: decoder.decode(str(document, "utf-8"))
_json.lines = lambda documents: map(_json.loads, filter(None, bytes(documents).split(b"\n")))


def field(text):
    """A field's value, as bytes; None: absent."""
    kind, _, rest = text.partition(":")
    if kind == "j":
        return rest.encode()
    if kind == "x":
        return bytes.fromhex(rest)
    if kind == "r":
        prefix, unit, times, suffix = rest.split(":")
        unit = bytes.fromhex(unit) * int(times)
        return bytes.fromhex(prefix) + unit + bytes.fromhex(suffix)
    return None


def whole(text):
    """The request for a whole answer.

    The package refuses one that asks for a stream, and a case asks what the engine says of it: the
    name is written with an escape, which the package does not look for.
    """
    request = field(text)
    if _request.stream_of(request) is True:
        return request.replace(b'"stream"', b'"\\u0073tream"')
    return request


def multi(response):
    """The document of a fan-out, put together again."""
    failures = [error.document for error in response.failures]
    return {"results": response.results, "failures": failures}


class Row:
    def __init__(self, line):
        fields = line.split("\t")
        self.case, self.via, provider, config, self.request, options, after = fields[:7]
        pairs = zip(fields[7::2], fields[8::2], strict=True)
        self.before = [(field(one), json.loads(field(other) or b"{}")) for one, other in pairs]
        self.config = field(config)
        self.provider = None if provider == "-" else provider
        self.cancel_after = None if after == "-" else int(after)
        self.options = json.loads(field(options) or b"{}")
        if self.provider:
            self.options["provider"] = self.provider
        # Here an unknown option is a TypeError. A case asks what the engine says of it.
        _request.OPTION_NAMES |= self.options.keys()
        self.fanout = self.options.pop("fanout", None) if self.via != "stream" else None

    def print(self, **outcome):
        text = json.dumps({"case": self.case, "via": self.via, **outcome}, ensure_ascii=False)
        text = text.replace(f'"{MARK}', "").replace(f'{MARK}"', "") + "\n"
        sys.stdout.buffer.write(text.encode())

    def blocking(self):
        try:
            if self.via == "invoke":
                result = liter_llm.invoke(self.provider, whole(self.request))
            else:
                with liter_llm.Client(self.config) as client:
                    for request, options in self.before:
                        with suppress(liter_llm.LiterLLMError):
                            if _request.stream_of(request) is True:
                                client.stream(request, options=options).text()
                            else:
                                client.chat(request, options=options)
                    if self.fanout:
                        arguments = {**self.fanout, "options": self.options}
                        result = multi(client.generate_multi(whole(self.request), **arguments))
                    else:
                        result = client.chat(whole(self.request), options=self.options)
            self.print(result=result)
        except liter_llm.LiterLLMError as error:
            self.print(error=error.document["error"])

    async def asynchronous(self, limit):
        events = {"events": []} if self.via == "stream" else {}
        async with limit:
            try:
                async with liter_llm.AsyncClient(self.config) as client:
                    for request, options in self.before:
                        with suppress(liter_llm.LiterLLMError):
                            if _request.stream_of(request) is True:
                                await client.stream(request, options=options).text()
                            else:
                                await client.chat(request, options=options)
                    if self.fanout:
                        arguments = {**self.fanout, "options": self.options}
                        response = await client.generate_multi(whole(self.request), **arguments)
                        result = multi(response)
                    elif self.via == "collect":
                        stream = client.stream(field(self.request), options=self.options)
                        await stream.text()
                        result = stream.response
                    elif self.via == "submit":
                        result = await client.chat(whole(self.request), options=self.options)
                    else:
                        result = await self.stream(client, events["events"])
                self.print(**events, result=result)
            except liter_llm.LiterLLMError as error:
                self.print(**events, error=error.document["error"])

    async def stream(self, client, events):
        async with client.stream(field(self.request), options=self.options) as stream:
            async for chunk in stream:
                events.append(chunk)
                if len(events) == self.cancel_after:
                    # Python says this with asyncio.CancelledError, or by leaving the stream.
                    raise liter_llm.CancelledError.of("the request was cancelled")
        return stream.response


async def concurrent(rows):
    limit = asyncio.Semaphore(CONCURRENT)
    await asyncio.gather(*[row.asynchronous(limit) for row in rows])


def main():
    lines = Path(os.environ["LITER_LLM_PLAN"]).read_text(encoding="utf-8").split("\n")
    rows = [Row(line) for line in lines if line]
    rows.sort(key=lambda row: row.via in LOOPING)
    for looping, group in groupby(rows, key=lambda row: row.via in LOOPING):
        if looping:
            asyncio.run(concurrent(group))
        else:
            for row in group:
                row.blocking()


if __name__ == "__main__":
    main()
