"""FastAPI streams an answer to a browser, as server-sent events.

A browser that leaves ends the request to the provider, too. Here the program serves itself, and
fetches its page as a browser would.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import fastapi
import httpx
import uvicorn
from fastapi.responses import StreamingResponse

import liter_llm

app = fastapi.FastAPI()
client = liter_llm.AsyncClient()  # one for the whole app; it needs no loop yet


@app.get("/ask")
async def ask(question: str) -> StreamingResponse:
    """Answers a question, in pieces."""

    async def events() -> AsyncIterator[str]:
        try:
            async with client.stream(question, model="openai/gpt-4.1-mini") as stream:
                async for chunk in stream:
                    if chunk.text:
                        yield f"data: {json.dumps({'text': chunk.text})}\n\n"
            yield "event: done\ndata: {}\n\n"
        except liter_llm.LiterLLMError as error:
            yield f"event: failed\ndata: {json.dumps({'kind': error.kind})}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def main() -> None:
    """Serves on a free port until the page is read."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    listener = socket.create_server(("127.0.0.1", 0))  # a browser may connect from now on
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/ask?question=Why is the sky blue?"
    async with (
        httpx.AsyncClient(trust_env=False) as browser,
        browser.stream("GET", url) as page,
    ):
        print(page.status_code, page.headers["content-type"])
        async for line in page.aiter_lines():
            if line:
                print(line)
    server.should_exit = True
    await serving
    await client.close()


asyncio.run(main())
