//! The switches of one entry of the configuration: what is known of a server that no row describes.
//!
//! They change the dialect of the entry's kind, so that rows and entries are the same mechanism.

use std::borrow::Cow;

use super::dialect::{Api, CompletionTokens, Dialect, ReasoningBack, Sampling};
use crate::codec::{Fields, Object, did_you_mean, finish_near, wrong};
use crate::error::Error;
use crate::json::Value;

/// The names of the switches.
pub const NAMES: [&str; 9] = [
    "path",
    "max_tokens",
    "sampling",
    "stream_options",
    "needs_done",
    "reasoning_back",
    "developer_role",
    "parallel_tool_calls",
    "extra_content",
];

/// The switches of a server whose chats are in the format of Responses.
const OF_RESPONSES: [&str; 4] = ["path", "sampling", "developer_role", "parallel_tool_calls"];

/// The names of the sampling members.
const SAMPLING: [&str; 7] =
    ["temperature", "top_p", "stop", "seed", "n", "presence_penalty", "frequency_penalty"];

impl Dialect {
    /// This dialect with the switches of `object`, which stands at `path` in the configuration.
    pub fn switched(&self, object: Object, path: String) -> Result<Dialect, Error> {
        let foreign = |name: &&crate::json::Key| {
            NAMES.contains(&name.as_str()) && !OF_RESPONSES.contains(&name.as_str())
        };
        if self.api != Api::Chat
            && let Some(name) = object.keys().find(foreign)
        {
            let path = format!("{path}.{name}");
            let message = format!("{path} is for chat completions: api is \"responses\"");
            return Err(Error::invalid(path, message));
        }
        let mut fields = Fields::new(object, path);
        let mut dialect = self.clone();
        if let Some(path) = read_path(&mut fields)? {
            dialect.path = Cow::Owned(path);
        }
        if let Some(name) = fields.word("max_tokens", &["max_tokens", "max_completion_tokens"])? {
            (dialect.max_tokens, dialect.completion) = (name, CompletionTokens::Asked);
        }
        if let Some(names) = fields.list("sampling")? {
            dialect.sampling = read_sampling(&names, &fields.at("sampling"))?;
        }
        let mut switch = |name: &str, now: &mut bool| {
            *now = fields.bool(name)?.unwrap_or(*now);
            Ok::<_, Error>(())
        };
        switch("stream_options", &mut dialect.stream_options)?;
        switch("developer_role", &mut dialect.developer_role)?;
        switch("parallel_tool_calls", &mut dialect.parallel_tool_calls)?;
        switch("extra_content", &mut dialect.extensions_back)?;
        if let Some(needed) = fields.bool("needs_done")? {
            dialect.open_end = !needed;
        }
        let words = ["none", "reasoning", "reasoning_content", "reasoning_details"];
        match fields.word("reasoning_back", &words)? {
            None => {}
            Some("reasoning") => dialect.reasoning_back = ReasoningBack::Plain,
            Some("reasoning_content") => dialect.reasoning_back = ReasoningBack::Content,
            Some("reasoning_details") => dialect.reasoning_back = ReasoningBack::Details,
            Some(_) => dialect.reasoning_back = ReasoningBack::No,
        }
        finish_near(fields, "switches", &NAMES, "docs/compatibility.md")?;
        Ok(dialect)
    }

    /// This dialect at a server of this host. Google's endpoints want their additions back, and
    /// refuse a call without its signed thought ("function call is missing a thought_signature"
    /// [doc]).
    #[must_use]
    pub fn at_host(&self, host: &str) -> Option<Dialect> {
        let host = host.to_ascii_lowercase();
        let google = host.ends_with(".googleapis.com") && !self.extensions_back;
        google.then(|| Dialect { extensions_back: true, ..self.clone() })
    }
}

fn read_path(fields: &mut Fields) -> Result<Option<String>, Error> {
    let Some(path) = fields.string("path")? else { return Ok(None) };
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'\\');
    if path.starts_with('/') && path.bytes().all(plain) {
        return Ok(Some(path));
    }
    let at = fields.at("path");
    let message = format!(
        "{at} must be a path that follows base_url, such as /chat/completions: it begins with /, \
         and has no white space, query or fragment (a query goes into query)"
    );
    Err(Error::invalid(at, message))
}

fn read_sampling(names: &[Value], path: &str) -> Result<Sampling, Error> {
    for (i, name) in names.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let Value::String(name) = name else { return Err(wrong(&path, "a string", name)) };
        if !SAMPLING.contains(&name.as_str()) {
            let near = did_you_mean(name, SAMPLING).unwrap_or_default();
            let message = format!("{path} must be one of {}{near}", SAMPLING.join(", "));
            return Err(Error::invalid(path, message));
        }
    }
    let has = |name: &str| names.iter().any(|given| given == name);
    Ok(Sampling {
        temperature: has("temperature"),
        top_p: has("top_p"),
        stop: has("stop"),
        seed: has("seed"),
        n: has("n"),
        presence_penalty: has("presence_penalty"),
        frequency_penalty: has("frequency_penalty"),
    })
}
