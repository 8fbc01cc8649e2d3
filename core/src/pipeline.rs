//! The stages of a call, in order, as plain functions. Read this first.
//!
//! ```text
//! request, options ─ target ─ encode ─ http ─ decode ─ response | error
//!                                        └─ chunks …  ─┘
//! ```
//!
//! `client` owns what the stages need and hands it in; `provider` knows the wire formats; `http` knows
//! sockets and timers. No stage sleeps past the call's one deadline.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::client::Inner;
use crate::config::{Config, ProviderConfig};
use crate::error::{Attempt, Error, ErrorKind};
use crate::http::{Body, Deadline, Pool, Reply};
use crate::model::{Chunk, Liter, Options, Request, Response, Timing, Warning};
use crate::provider::{Answer, Notes, Progress, StreamReader, Target, shared};

/// A call that knows where it goes.
pub(crate) struct Plan {
    inner: Arc<Inner>,
    /// The provider's place among the client's.
    provider: usize,
    model: String,
    merge: bool,
    deadline: Deadline,
    sent: Option<tokio::time::Instant>,
    ttft_ms: Option<f64>,
    warnings: Vec<Warning>,
}

/// What a stream brought.
#[derive(Debug)]
pub enum Step {
    /// What arrived in one read of the socket; never empty.
    Chunks(Vec<Chunk>),
    /// The end: the whole answer.
    Done(Box<Response>),
}

/// A stream whose headers have come.
pub(crate) struct Open {
    plan: Plan,
    reply: Parts,
    body: Option<Body>,
    reader: Option<StreamReader>,
    /// What ended the stream, while the chunks that came before it are handed out.
    failure: Option<Error>,
}

/// What is kept of a reply while its body is read.
struct Parts {
    status: u16,
    headers: ::http::HeaderMap,
}

/// One whole answer.
pub(crate) async fn call(
    inner: Arc<Inner>,
    pools: &[Pool],
    request: Request,
    options: &Options,
) -> Result<Response, Error> {
    // Whoever waits for the whole answer has no use for chunks.
    let request = Request { stream: false, ..request };
    let mut plan = Plan::new(inner, &request, options)?;
    let outcome = async {
        let Reply { status, headers, body } = plan.send(pools, &request, options).await?;
        let body = body.collect(&plan.deadline).await.map_err(|e| located(e, status, &headers))?;
        let adapter = plan.settings().row.adapter();
        let answer = adapter.decode(status, &headers, &body, &plan.target())?;
        Ok((answer, Parts { status, headers }))
    }
    .await;
    match outcome {
        Ok((answer, parts)) => Ok(plan.respond(answer, &parts)),
        Err(error) => Err(plan.failed(error)),
    }
}

/// Opens a stream: everything up to the response's headers.
pub(crate) async fn open(
    inner: Arc<Inner>,
    pools: &[Pool],
    request: Request,
    options: &Options,
) -> Result<Open, Error> {
    let request = Request { stream: true, ..request };
    let mut plan = Plan::new(inner, &request, options)?;
    let outcome = async {
        let Reply { status, headers, body } = plan.send(pools, &request, options).await?;
        let adapter = plan.settings().row.adapter();
        if !(200..300).contains(&status) {
            let body =
                body.collect(&plan.deadline).await.map_err(|e| located(e, status, &headers))?;
            return match adapter.decode(status, &headers, &body, &plan.target()) {
                Err(error) => Err(error),
                Ok(_) => {
                    Err(Error::new(ErrorKind::Internal, "an error status was read as success"))
                }
            };
        }
        let reader = StreamReader::new(adapter, &plan.target(), plan.merge);
        Ok((Parts { status, headers }, body, reader))
    }
    .await;
    match outcome {
        Ok((reply, body, reader)) => {
            Ok(Open { plan, reply, body: Some(body), reader: Some(reader), failure: None })
        }
        Err(error) => Err(plan.failed(error)),
    }
}

impl Open {
    pub(crate) fn deadline(&self) -> tokio::time::Instant {
        self.plan.deadline.total
    }

    /// An error of this stream that came up outside of it, as `next` would say it.
    pub(crate) fn failed(&self, error: Error) -> Error {
        self.plan.failed(located(error, self.reply.status, &self.reply.headers))
    }

    /// What comes next. After `Done` or an error there is nothing more.
    pub(crate) async fn next(&mut self) -> Result<Step, Error> {
        match self.step().await {
            Ok(step) => Ok(step),
            Err(error) => {
                self.body = None;
                let error = match self.reader.take() {
                    Some(reader) => reader.broken(error),
                    None => error,
                };
                Err(self.plan.failed(located(error, self.reply.status, &self.reply.headers)))
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Error> {
        let over = || Error::new(ErrorKind::Internal, "the stream was read past its end");
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let reader = self.reader.as_mut().ok_or_else(over)?;
        while let Some(body) = &mut self.body {
            let progress = match body.next(&self.plan.deadline, reader.committed()).await? {
                Some(bytes) => reader.push(&bytes),
                None => {
                    self.body = None;
                    let adapter = self.plan.settings().row.adapter();
                    let end = reader.end(adapter, &self.reply.headers, &self.plan.target());
                    end.map(|()| Progress::Done)
                }
            };
            let progress = match progress {
                Ok(progress) => progress,
                // What came in the same read before the failure is not lost.
                Err(error) => {
                    self.body = None;
                    let chunks = reader.take_chunks();
                    if chunks.is_empty() {
                        return Err(error);
                    }
                    self.failure = Some(error);
                    return Ok(Step::Chunks(self.dated(chunks)));
                }
            };
            if progress == Progress::Done
                && let Some(body) = self.body.take()
            {
                body.finish();
            }
            if self.plan.ttft_ms.is_none() && reader.committed() {
                self.plan.ttft_ms = Some(self.plan.elapsed_ms());
            }
            let chunks = reader.take_chunks();
            if !chunks.is_empty() {
                return Ok(Step::Chunks(self.dated(chunks)));
            }
        }
        let reader = self.reader.take().ok_or_else(over)?;
        Ok(Step::Done(Box::new(self.plan.respond(reader.into_answer(), &self.reply))))
    }

    /// Chunks of a provider that gives no time have the answer's.
    fn dated(&self, mut chunks: Vec<Chunk>) -> Vec<Chunk> {
        let date = shared::date(&self.reply.headers);
        chunks.iter_mut().for_each(|chunk| chunk.created = chunk.created.or(date));
        chunks
    }
}

impl Plan {
    fn new(inner: Arc<Inner>, request: &Request, options: &Options) -> Result<Plan, Error> {
        let (provider, model) = target(&inner.config, request, options)?;
        let settings = &inner.config.providers[provider];
        let deadline =
            Deadline::new(&settings.timeouts, request.stream, options.timeout_ms, options.idle_ms);
        let unknown = request.unknown.iter().map(|path| Warning {
            code: "unknown_parameter",
            message: format!(
                "{path} is not a member of a request and was not sent; members for one provider go \
                 under extra.<provider>"
            ),
            param: Some(path.clone()),
        });
        let warnings = unknown.collect();
        let merge = options.merge_deltas == Some(true);
        Ok(Plan { provider, model, merge, deadline, sent: None, ttft_ms: None, warnings, inner })
    }

    fn settings(&self) -> &ProviderConfig {
        &self.inner.config.providers[self.provider]
    }

    fn target(&self) -> Target<'_> {
        Target { provider: self.settings(), model: &self.model }
    }

    async fn send(
        &mut self,
        pools: &[Pool],
        request: &Request,
        options: &Options,
    ) -> Result<Reply, Error> {
        let mut notes = Notes::new(options.unsupported.unwrap_or_default());
        let settings = self.settings();
        let adapter = settings.row.adapter();
        let http = adapter.encode(request, &self.target(), &mut notes)?;
        self.warnings.extend(notes.into_warnings());
        self.sent = Some(tokio::time::Instant::now());
        let settings = &self.inner.config.providers[self.provider];
        pools[self.provider].send(settings, adapter.auth(), http, &self.deadline).await
    }

    fn elapsed_ms(&self) -> f64 {
        millis(self.deadline.start.elapsed())
    }

    fn attempt(&self, status: Option<u16>, kind: Option<ErrorKind>) -> Option<Attempt> {
        let ms = u64::try_from(self.sent?.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(Attempt {
            target: format!("{}/{}", self.settings().name, self.model),
            status,
            kind,
            ms,
        })
    }

    /// The response: the provider's answer and what is ours.
    fn respond(&mut self, answer: Answer, reply: &Parts) -> Response {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(answer.warnings);
        let first = answer.choices.first().and_then(|choice| choice.message.content.clone());
        Response {
            id: answer.id,
            object: "chat.completion",
            created: answer.created.or_else(|| shared::date(&reply.headers)),
            model: answer.model,
            choices: answer.choices,
            usage: answer.usage,
            text: first.unwrap_or_default(),
            provider: self.settings().name.clone(),
            warnings,
            liter: Liter {
                v: 1,
                request_id: request_id(),
                provider_request_id: shared::request_id(&reply.headers),
                finish_reason_raw: answer.finish_reason_raw,
                usage_raw: answer.usage_raw,
                attempts: self.attempt(Some(reply.status), None).into_iter().collect(),
                timing: Timing {
                    queue_ms: self
                        .sent
                        .map_or(0.0, |sent| millis(sent.duration_since(self.deadline.start))),
                    ttft_ms: self.ttft_ms,
                    total_ms: self.elapsed_ms(),
                },
                ratelimit: shared::rate_limits(&reply.headers),
                provider_fields: answer.fields,
            },
        }
    }

    /// The error, with what every error of this call has in common.
    fn failed(&self, error: Error) -> Error {
        let attempt = self.attempt(error.status, Some(error.kind()));
        error.with(|e| {
            e.provider.get_or_insert_with(|| self.settings().name.clone());
            e.model.get_or_insert_with(|| self.model.clone());
            e.attempts.extend(attempt);
            if e.status.is_some()
                && let Some(message) = self.settings().key.redact(&e.message)
            {
                e.message = message;
            }
        })
    }
}

/// Which provider and model a request goes to.
fn target(config: &Config, request: &Request, options: &Options) -> Result<(usize, String), Error> {
    let asked = request.model.as_deref();
    let (provider, model) = match &options.provider {
        Some(name) => (config.index(name)?, asked),
        None => {
            // With no default provider the default model says where it goes, as a request's does.
            let unrouted = config.default_provider.is_none();
            let asked = asked.or(config.default_model.as_deref().filter(|_| unrouted));
            let prefixed = asked.and_then(|model| model.split_once('/'));
            let prefixed =
                prefixed.and_then(|(name, rest)| Some((config.index(name).ok()?, Some(rest))));
            match (prefixed, &config.default_provider) {
                (Some(found), _) => found,
                (None, Some(name)) => (config.index(name)?, asked),
                (None, None) => {
                    return Err(Error::new(
                        ErrorKind::NotFound,
                        "no provider is known for this request: give options.provider, a model of \
                         the form provider/model, or a default_provider in the configuration",
                    )
                    .with(|e| e.param = Some("model".to_owned())));
                }
            }
        }
    };
    let settings = &config.providers[provider];
    let default = settings.model.as_deref().or(config.default_model.as_deref());
    match model.or(default) {
        Some(model) => Ok((provider, model.to_owned())),
        None => Err(Error::invalid(
            "model",
            format!(
                "model is missing: give it in the request, or providers.{}.model in the configuration",
                settings.name
            ),
        )
        .with(|e| e.provider = Some(settings.name.clone()))),
    }
}

/// A number that no other call has. A keyed hash of the process and a count costs no system call for
/// random numbers; a forked process, which inherits key and count, differs in its own number.
pub(crate) fn request_id() -> String {
    static KEY: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let key = KEY.get_or_init(RandomState::new);
    let call = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("llm_{:016x}{:016x}", key.hash_one((call, 0)), key.hash_one((call, 1)))
}

/// Adds what an answer's head says to an error that came after it: for the provider's support, a
/// broken stream needs its id no less than a refused request.
pub(crate) fn located(mut error: Error, status: u16, headers: &::http::HeaderMap) -> Error {
    error.status.get_or_insert(status);
    error.request_id = error.request_id.take().or_else(|| shared::request_id(headers));
    error
}

pub(crate) fn millis(duration: std::time::Duration) -> f64 {
    // Microseconds are the finest that is worth a reader's time.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a request for `model` goes under a configuration: `provider/model`, or the error's kind.
    fn goes(config: &str, model: Option<&str>, provider: Option<&str>) -> String {
        let config = Config::parse(config.as_bytes()).unwrap();
        let request = Request { model: model.map(str::to_owned), ..Request::default() };
        let options = Options { provider: provider.map(str::to_owned), ..Options::default() };
        match target(&config, &request, &options) {
            Ok((index, model)) => format!("{}/{model}", config.providers[index].name),
            Err(error) => error.kind().name().to_owned(),
        }
    }

    #[test]
    fn requests_find_their_provider() {
        assert_eq!(goes("{}", Some("openai/gpt"), None), "openai/gpt");
        assert_eq!(goes("{}", Some("openrouter/meta/llama"), None), "openrouter/meta/llama");
        assert_eq!(goes("{}", Some("meta/llama"), Some("openrouter")), "openrouter/meta/llama");
        assert_eq!(goes("{}", Some("gpt"), None), "not_found");
        assert_eq!(goes("{}", Some("gpt"), Some("opnai")), "not_found");
        assert_eq!(goes("{}", None, Some("openai")), "invalid_request");
        let model = r#"{"default_model": "anthropic/claude"}"#;
        assert_eq!(goes(model, None, None), "anthropic/claude");
        assert_eq!(goes(model, Some("openai/gpt"), None), "openai/gpt");
        let both = r#"{"default_provider": "openai", "default_model": "gpt"}"#;
        assert_eq!(goes(both, None, None), "openai/gpt");
        assert_eq!(goes(both, Some("other"), None), "openai/other");
    }
}
