//! Who published a model, by its name.

use crate::error::Error;

/// A model's name, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published<'a> {
    /// The model of a publisher: `meta` and `llama-4-maverick-17b-128e-instruct-maas`.
    By(&'a str, &'a str),
    /// A resource of the location itself, such as the endpoint of a tuned model, `endpoints/123`.
    Own(&'a str),
}

/// The wire format of a model's chats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `generateContent`.
    Google,
    /// Messages, by `rawPredict`.
    Anthropic,
    /// Chat completions, at the endpoint that all other models share.
    Open,
}

/// Collections of the location. They are no publishers.
const COLLECTIONS: [&str; 3] = ["endpoints", "projects", "tunedModels"];

impl<'a> Published<'a> {
    /// Reads `claude-…`, `anthropic/claude-…`, `publishers/anthropic/models/claude-…`, and the same for
    /// other publishers. A name without a publisher is Google's.
    pub(super) fn of(model: &'a str) -> Self {
        if let Some(whole) = model.strip_prefix("publishers/")
            && let Some((publisher, name)) = whole.split_once("/models/")
        {
            return Published::By(publisher, name);
        }
        match model.split_once('/') {
            Some(("models", name)) => Published::By("google", name),
            Some((collection, _)) if COLLECTIONS.contains(&collection) => Published::Own(model),
            Some((publisher, name)) => Published::By(publisher, name),
            None if model.starts_with("claude-") => Published::By("anthropic", model),
            None => Published::By("google", model),
        }
    }

    pub(super) fn format(self) -> Format {
        match self {
            Published::By("google", _) | Published::Own(_) => Format::Google,
            Published::By("anthropic", _) => Format::Anthropic,
            Published::By(..) => Format::Open,
        }
    }

    /// Its path under the location, without a `/` in front.
    pub(super) fn path(self) -> Result<String, Error> {
        match self {
            Published::By(publisher, name) => Ok(format!("publishers/{publisher}/models/{name}")),
            Published::Own(path) if path.starts_with("projects/") => {
                let message = "model names a project and a location, and the base URL does so, \
                               too: give what follows the location, such as endpoints/123";
                Err(Error::invalid("model", message))
            }
            Published::Own(path) => Ok(path.to_owned()),
        }
    }

    /// The name that its format has for it: a path, or `publisher/name` in the body [doc].
    pub(super) fn name(self) -> Result<String, Error> {
        match (self.format(), self) {
            (Format::Open, Published::By(publisher, name)) => Ok(format!("{publisher}/{name}")),
            _ => self.path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_who_published_the_model() {
        for (model, format, name) in [
            ("gemini-2.5-flash", Format::Google, "publishers/google/models/gemini-2.5-flash"),
            ("google/gemini-2.5-pro", Format::Google, "publishers/google/models/gemini-2.5-pro"),
            ("models/gemini-3", Format::Google, "publishers/google/models/gemini-3"),
            ("endpoints/123", Format::Google, "endpoints/123"),
            ("claude-opus-4-1", Format::Anthropic, "publishers/anthropic/models/claude-opus-4-1"),
            ("anthropic/claude-x", Format::Anthropic, "publishers/anthropic/models/claude-x"),
            (
                "publishers/anthropic/models/claude-x",
                Format::Anthropic,
                "publishers/anthropic/models/claude-x",
            ),
            ("meta/llama-4-maas", Format::Open, "meta/llama-4-maas"),
            ("publishers/qwen/models/qwen3", Format::Open, "qwen/qwen3"),
        ] {
            let published = Published::of(model);
            assert_eq!((published.format(), published.name().unwrap().as_str()), (format, name));
        }
        let whole = Published::of("projects/p/locations/l/endpoints/1");
        assert_eq!(whole.name().unwrap_err().param.as_deref(), Some("model"));
    }
}
