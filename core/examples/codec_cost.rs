//! What the documents cost: one call of 1 KiB each way, and a stream of 256 chunks, without sockets.
//!
//! `cargo run --release -p liter-llm-core --example codec_cost` prints the best of many rounds, in
//! nanoseconds. `codec_cost call 1000` or `stream 100` runs one of them that often and prints
//! nothing, for counting instructions: `valgrind --tool=callgrind …`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use http::HeaderMap;
use liter_llm_core::model::{Liter, Options, Request, Response};
use liter_llm_core::provider::{Completion, Notes, Progress, StreamReader, Target, registry};
use liter_llm_core::wire::Reply;
use liter_llm_core::{Chunk, Config};

const CHUNKS: usize = 256;
const ROUNDS: usize = 400;

fn main() {
    let config = Config::parse(b"{}").expect("an empty configuration");
    let index = config.index("openai").expect("a built-in provider");
    let bench = Bench {
        target: config.providers[index].target("gpt-4.1-mini"),
        request: request().into_bytes(),
        reply: reply().into_bytes(),
        events: events().into_bytes(),
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let times = arguments.get(1).and_then(|times| times.parse().ok()).unwrap_or(1);
    match arguments.first().map(String::as_str) {
        Some("call") => (0..times).for_each(|_| bench.call()),
        Some("stream") => (0..times).for_each(|_| bench.stream()),
        _ => bench.report(),
    }
}

struct Bench {
    target: Target,
    request: Vec<u8>,
    reply: Vec<u8>,
    events: Vec<u8>,
}

impl Bench {
    fn report(&self) {
        let parse = best(|| drop(black_box(self.parse())));
        let request = self.parse();
        let encode = best(|| drop(black_box(self.encode(&request))));
        let decode = best(|| drop(black_box(self.decode())));
        let response = respond(self.decode());
        let write = best(|| drop(black_box(response.to_json())));
        let whole = best(|| self.call());
        let stream = best(|| self.stream());
        let (sent, answered) = (self.request.len(), self.reply.len());
        println!("request {sent} bytes, reply {answered} bytes, {CHUNKS} chunks");
        println!("parse   {parse:8.0} ns a call");
        println!("encode  {encode:8.0} ns a call");
        println!("decode  {decode:8.0} ns a call");
        println!("to_json {write:8.0} ns a call");
        println!("whole   {whole:8.0} ns a call");
        println!("stream  {:8.0} ns a chunk", stream / CHUNKS as f64);
    }

    fn call(&self) {
        let request = self.parse();
        black_box(self.encode(&request));
        black_box(respond(self.decode()).to_json());
    }

    fn parse(&self) -> Request {
        let parsed = Request::parse(black_box(&self.request), Options::default());
        parsed.expect("a good request").0
    }

    fn encode(&self, request: &Request) -> Vec<u8> {
        let mut notes = Notes::new(Default::default());
        let adapter = registry::row(self.target.kind).unwrap().chat().unwrap();
        adapter.encode(request, &self.target, &mut notes).expect("it can be sent").body
    }

    fn decode(&self) -> Completion {
        let adapter = registry::row(self.target.kind).unwrap().chat().unwrap();
        let body = black_box(&self.reply);
        adapter
            .decode(
                &Reply { status: 200, headers: &HeaderMap::new(), body, received: None },
                &self.target,
            )
            .expect("a good answer")
    }

    fn stream(&self) {
        let adapter = registry::row(self.target.kind).unwrap().chat().unwrap();
        let mut reader = StreamReader::new(adapter, &self.target, false);
        let mut lines = Vec::new();
        let mut count = 0;
        // One read of the socket brings about so much.
        for part in self.events.chunks(1400) {
            let progress = reader.push(part).expect("a good stream");
            let chunks = reader.take_chunks();
            count += chunks.len();
            lines.clear();
            chunks.iter().for_each(|chunk| write(chunk, &mut lines));
            black_box(&lines);
            if progress == Progress::Done {
                break;
            }
        }
        assert_eq!(count, CHUNKS);
        black_box(respond(reader.into_completion()).to_json());
    }
}

fn write(chunk: &Chunk, lines: &mut Vec<u8>) {
    chunk.write_json(lines);
    lines.push(b'\n');
}

/// What the pipeline makes of an answer.
fn respond(answer: Completion) -> Response {
    Response {
        id: answer.id,
        object: "chat.completion",
        created: answer.created,
        model: answer.model,
        choices: answer.choices,
        usage: answer.usage,
        provider: "openai".to_owned(),
        warnings: answer.warnings,
        liter: Liter {
            v: 1,
            request_id: "llm_0123456789abcdef0123456789abcdef".to_owned(),
            finish_reason_raw: answer.finish_reason_raw,
            usage_raw: answer.usage_raw,
            provider_fields: answer.fields,
            ..Liter::default()
        },
    }
}

/// The shortest of many rounds: what the work takes when nothing else runs.
fn best(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..10 {
            work();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / 10.0);
    }
    best
}

const WORDS: &str = "The quick brown fox jumps over the lazy dog, \\\"twice\\\" if it must; naïve \
                     readers see a dash — and a line end.\\n";

fn request() -> String {
    format!(
        r#"{{"model":"gpt-4.1-mini","messages":[{{"role":"system","content":"Answer briefly."}},{{"role":"user","content":"{}"}}],"max_tokens":512,"temperature":0.7,"user":"u-1"}}"#,
        WORDS.repeat(8)
    )
}

const ID: &str = "chatcmpl-BkTnJ4dQmY0fVr8sHc2pLw3eXu9Za";

fn reply() -> String {
    format!(
        r#"{{
  "id": "{ID}",
  "object": "chat.completion",
  "created": 1767225600,
  "model": "gpt-5-2025-08-07",
  "choices": [
    {{
      "index": 0,
      "message": {{
        "role": "assistant",
        "content": "{}",
        "refusal": null,
        "annotations": []
      }},
      "finish_reason": "stop"
    }}
  ],
  "usage": {{
    "prompt_tokens": 213,
    "completion_tokens": 232,
    "total_tokens": 445,
    "prompt_tokens_details": {{
      "cached_tokens": 0,
      "audio_tokens": 0
    }},
    "completion_tokens_details": {{
      "reasoning_tokens": 0,
      "audio_tokens": 0,
      "accepted_prediction_tokens": 0,
      "rejected_prediction_tokens": 0
    }}
  }},
  "service_tier": "default",
  "system_fingerprint": "fp_0123456789"
}}"#,
        WORDS.repeat(8)
    )
}

fn events() -> String {
    let mut events = String::new();
    for i in 0..CHUNKS {
        let (delta, finish) = match i {
            0 => (r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
            _ if i == CHUNKS - 1 => ("{}", r#""stop""#),
            _ => (r#"{"content":" token"}"#, "null"),
        };
        // Writing into a String cannot fail.
        let _ = write!(
            events,
            r#"data: {{"id":"{ID}","object":"chat.completion.chunk","created":1767225600,"model":"gpt-5-2025-08-07","service_tier":"default","system_fingerprint":"fp_0123456789","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null,"obfuscation":"aB3dE5fG"}}"#
        );
        events.push_str("\n\n");
    }
    events.push_str("data: [DONE]\n\n");
    events
}
