//! The conformance runner of Rust: reads the plan that `bindings/conformance/run.py` made, runs its
//! rows 32 at a time, and prints one outcome a line. README.md there describes both.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, OnceLock};

use liter_llm_core::json::{Object, Value, parse, to_vec};
use liter_llm_core::{
    Answer, Client, Config, Error, ErrorKind, HttpStep, Outcome, Started, Step, Wanted,
};

const AT_ONCE: usize = 32;

/// One row of the plan.
struct Row {
    case: String,
    via: String,
    provider: Option<String>,
    config: Option<Vec<u8>>,
    request: Vec<u8>,
    options: Vec<u8>,
    cancel_after: Option<usize>,
    /// Calls that come before: request and options.
    before: Vec<(Vec<u8>, Vec<u8>)>,
}

#[tokio::main]
async fn main() {
    let path = std::env::var("LITER_LLM_PLAN").expect("LITER_LLM_PLAN names the plan");
    let plan = std::fs::read_to_string(path).expect("the plan can be read");
    let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut tasks = tokio::task::JoinSet::new();
    for line in plan.lines() {
        let row = Row::read(line);
        let place = Arc::clone(&places).acquire_owned().await.expect("never closed");
        tasks.spawn(async move {
            let outcome = row.outcome().await;
            let line = outcome.to_string() + "\n";
            std::io::stdout().lock().write_all(line.as_bytes()).expect("stdout is open");
            drop(place);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a row panicked");
    }
}

impl Row {
    fn read(line: &str) -> Row {
        let fields: Vec<&str> = line.split('\t').collect();
        let [case, via, provider, config, request, options, cancel_after, ref before @ ..] =
            fields[..]
        else {
            panic!("a row has seven fields: {line}");
        };
        let call = |pair: &[&str]| {
            (bytes(pair[0]).expect("a request"), bytes(pair[1]).unwrap_or_default())
        };
        Row {
            case: case.to_owned(),
            via: via.to_owned(),
            provider: (provider != "-").then(|| provider.to_owned()),
            config: bytes(config),
            request: bytes(request).expect("every row has a request"),
            options: bytes(options).unwrap_or_default(),
            cancel_after: cancel_after.parse().ok(),
            before: before.chunks(2).map(call).collect(),
        }
    }

    async fn outcome(&self) -> Value {
        let mut outcome = Object::new();
        outcome.insert("case", &self.case);
        outcome.insert("via", &self.via);
        if self.via == "stream" {
            let mut events = Vec::new();
            let end = self.stream(&mut events).await;
            outcome.insert("events", events);
            finish(&mut outcome, end);
        } else if self.via == "collect" {
            finish(&mut outcome, self.collect().await);
        } else {
            finish(&mut outcome, self.call().await);
        }
        Value::Object(outcome)
    }

    async fn call(&self) -> Result<Outcome, Error> {
        self.ready().await?.answer(&self.request, &self.options()).await
    }

    async fn collect(&self) -> Result<Outcome, Error> {
        let stream = self.ready().await?.stream(&self.request, &self.options()).await?;
        Ok(Outcome::Answer(Answer::Chat(stream.collect().await?)))
    }

    async fn stream(&self, events: &mut Vec<Value>) -> Result<Outcome, Error> {
        let mut started = {
            let client = self.ready().await?;
            client.start(client.admit()?, &self.request, &self.options(), Wanted::default()).await?
        };
        loop {
            if self.cancel_after.is_some_and(|count| events.len() >= count) {
                return Err(Error::new(ErrorKind::Cancelled, "the runner cancelled"));
            }
            match &mut started {
                Started::Stream(stream) => match stream.next().await? {
                    Step::Chunks(chunks) => events.extend(chunks.iter().map(document)),
                    Step::Restarted(reset) => events.push(document(&reset)),
                    Step::Done(response) => return Ok(Outcome::Answer(Answer::Chat(response))),
                },
                Started::Http(stream) => match stream.next().await? {
                    HttpStep::Event(event) => events.push(document(&event)),
                    HttpStep::Done(answer) => return Ok(Outcome::Http(answer)),
                },
                Started::Whole(_) => {
                    return Err(Error::new(
                        ErrorKind::Internal,
                        "a row of via stream asks for none",
                    ));
                }
            }
            events.truncate(self.cancel_after.unwrap_or(usize::MAX));
        }
    }

    /// The row's client, after the calls that come before.
    async fn ready(&self) -> Result<Client, Error> {
        let client = self.client()?;
        for (request, options) in &self.before {
            if !streams(request) {
                let _ = client.answer(request, options).await;
            } else if let Ok(stream) = client.stream(request, options).await {
                let _ = stream.collect().await;
            }
        }
        Ok(client)
    }

    /// The row's client: one for each configuration, one for the environment.
    fn client(&self) -> Result<Client, Error> {
        static CLIENTS: OnceLock<Mutex<HashMap<Option<Vec<u8>>, Client>>> = OnceLock::new();
        let mut clients = CLIENTS.get_or_init(Mutex::default).lock().expect("not poisoned");
        if let Some(client) = clients.get(&self.config) {
            return Ok(client.clone());
        }
        let config = match &self.config {
            Some(document) => Config::parse(document)?,
            None => Config::from_env()?,
        };
        let client = Client::new(config);
        if self.config.is_none() {
            clients.insert(None, client.clone());
        }
        Ok(client)
    }

    /// The row's options; `invoke` names its provider as an argument, which here is an option.
    fn options(&self) -> Vec<u8> {
        match &self.provider {
            Some(provider) if self.via == "invoke" => {
                Object::from_iter([("provider", Value::from(provider))]).to_json()
            }
            _ => self.options.clone(),
        }
    }
}

/// Whether a call that comes before is for a stream.
fn streams(request: &[u8]) -> bool {
    request.windows(13).any(|text| text == br#""stream":true"#)
}

/// A document as it goes out, to put into an outcome.
fn document<T: serde::Serialize>(document: &T) -> Value {
    let text = String::from_utf8(to_vec(document, 0)).expect("JSON is UTF-8");
    parse(&text).expect("a document of ours is JSON")
}

/// The inside of an error document.
fn inside(error: &Error) -> Value {
    document(error).get("error").cloned().expect("an error document has one member")
}

fn finish(outcome: &mut Object, end: Result<Outcome, Error>) {
    match end {
        Ok(Outcome::Answer(answer)) => outcome.insert("result", document(&answer)),
        Ok(Outcome::Many(many)) => outcome.insert("result", document(&many)),
        Ok(Outcome::Http(answer)) => outcome.insert("result", document(&answer)),
        Ok(Outcome::Purged(purged)) => outcome.insert("result", document(&purged)),
        Err(error) => outcome.insert("error", inside(&error)),
    };
}

/// A field's bytes: `-` absent, `j:` JSON, `x:` hex, `r:` prefix, unit, times and suffix.
fn bytes(field: &str) -> Option<Vec<u8>> {
    let (form, rest) = field.split_once(':')?;
    Some(match form {
        "j" => rest.as_bytes().to_vec(),
        "x" => hex(rest),
        "r" => {
            let parts: Vec<&str> = rest.split(':').collect();
            let times = parts[2].parse().expect("a number of times");
            [hex(parts[0]), hex(parts[1]).repeat(times), hex(parts[3])].concat()
        }
        _ => panic!("a field of an unknown form: {form}"),
    })
}

fn hex(digits: &str) -> Vec<u8> {
    let pairs = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex digits")).collect()
}
