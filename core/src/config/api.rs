//! The format of an entry's chats: by `api`, by its switches, and for Ollama by its base URL.

use std::sync::Arc;

use ::http::Uri;

use crate::codec::{Fields, Object};
use crate::error::Error;
use crate::provider::{Dialect, Row};

/// What an entry says about its format.
pub(super) struct Api {
    row: &'static Row,
    path: String,
    word: Option<&'static str>,
    switches: Option<Object>,
    switches_path: String,
}

/// Where a server speaks OpenAI's form under its URL, if it has a format of its own besides.
fn openai_path(row: &Row) -> Option<&'static str> {
    (row.name == "ollama").then_some("/v1")
}

/// The word for a format that is the provider's own, beside OpenAI's.
const NATIVE: &str = "native";

impl Api {
    /// Reads `api` and `switches`.
    pub(super) fn read(row: &'static Row, fields: &mut Fields) -> Result<Api, Error> {
        let (path, switches_path) = (fields.at("api"), fields.at("switches"));
        let switches = fields.object("switches")?;
        let words: &[&'static str] = match openai_path(row) {
            Some(_) => &[NATIVE, "chat", "responses"],
            None => &["chat", "responses"],
        };
        let word = fields.word("api", words)?;
        if word == Some("responses") && !cfg!(feature = "responses") {
            let what = format!("{path} \"responses\"");
            return Err(Error::not_built(path, &what, "responses"));
        }
        if row.dialect().is_none() && word.is_some() {
            let message =
                format!("{path} is for servers of OpenAI's formats: {} has one format", row.name);
            return Err(Error::invalid(path, message));
        }
        if row.dialect().is_none() && switches.is_some() {
            let message = format!(
                "{switches_path} are for servers that speak OpenAI's chat completions, which {} does not",
                row.name
            );
            return Err(Error::invalid(switches_path, message));
        }
        if word == Some(NATIVE) && switches.is_some() {
            let message = format!(
                "{switches_path} are for OpenAI's chat completions: give {path} \"chat\", or leave \
                 them out"
            );
            return Err(Error::invalid(switches_path, message));
        }
        Ok(Api { row, path, word, switches, switches_path })
    }

    /// The built-in base URL in the format that the entry asks for; "" if there is none.
    pub(super) fn base_url(&self) -> String {
        let path = openai_path(self.row).filter(|_| self.asks_for_openai());
        format!("{}{}", self.row.base_url, path.unwrap_or_default())
    }

    /// Switches are about OpenAI's format, so an entry with switches speaks it.
    fn asks_for_openai(&self) -> bool {
        self.word.is_some_and(|word| word != NATIVE) || self.switches.is_some()
    }

    /// The dialect of the entry. `None` if it is the row's, or if the format is the provider's own.
    pub(super) fn dialect(
        self,
        base_url: &Uri,
        base_url_path: &str,
    ) -> Result<Option<Arc<Dialect>>, Error> {
        let Some(dialect) = self.row.dialect() else { return Ok(None) };
        let mut own = dialect.at_host(base_url.host().unwrap_or_default());
        if let Some(openai) = openai_path(self.row) {
            let at_openai = base_url.path().trim_end_matches('/').ends_with(openai);
            match (self.asks_for_openai(), at_openai) {
                (false, true) if self.word.is_some() => {
                    let message = format!(
                        "{base_url_path} ends in {openai}, where the server speaks OpenAI's form: \
                         leave {openai} out, or give {} \"chat\"",
                        self.path
                    );
                    return Err(Error::invalid(base_url_path, message));
                }
                (false, false) => return Ok(None),
                _ => own = Some(own.unwrap_or_else(|| dialect.clone())),
            }
        }
        #[cfg(feature = "responses")]
        if self.word == Some("responses") {
            own = Some(own.as_ref().unwrap_or(dialect).with_responses());
        }
        let dialect = match self.switches {
            Some(object) => {
                Some(own.as_ref().unwrap_or(dialect).switched(object, self.switches_path)?)
            }
            None => own,
        };
        Ok(dialect.map(Arc::new))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::error::Error;

    /// The base URL of an entry for Ollama, and whether it speaks OpenAI's form.
    fn ollama(entry: &str) -> Result<(String, bool), Error> {
        let document = format!(r#"{{"providers":{{"ollama":{entry}}}}}"#);
        let config = Config::parse(document.as_bytes())?;
        let provider = &config.providers[config.index("ollama").unwrap()];
        let openai = provider.target("m").dialect.is_some();
        Ok((provider.http.base_url.to_string(), openai))
    }

    #[test]
    fn ollama_speaks_its_own_format_unless_the_entry_says_otherwise() {
        for (entry, url, openai) in [
            ("{}", "http://localhost:11434/", false),
            (r#"{"api":"native"}"#, "http://localhost:11434/", false),
            (r#"{"api":"chat"}"#, "http://localhost:11434/v1", true),
            (r#"{"api":"responses"}"#, "http://localhost:11434/v1", true),
            (r#"{"switches":{"needs_done":false}}"#, "http://localhost:11434/v1", true),
            (r#"{"base_url":"http://gpu:11434"}"#, "http://gpu:11434/", false),
            (r#"{"base_url":"http://gpu:11434/"}"#, "http://gpu:11434/", false),
            (r#"{"base_url":"http://gpu/ollama"}"#, "http://gpu/ollama", false),
            (r#"{"base_url":"http://gpu:11434/v1"}"#, "http://gpu:11434/v1", true),
            (r#"{"base_url":"http://gpu/ollama/v1/"}"#, "http://gpu/ollama/v1/", true),
            (r#"{"base_url":"http://gpu/x","api":"chat"}"#, "http://gpu/x", true),
        ] {
            assert_eq!(ollama(entry).unwrap(), (url.to_owned(), openai), "{entry}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_an_error() {
        for (entry, param) in [
            (r#"{"api":"native","base_url":"http://gpu/v1"}"#, "providers.ollama.base_url"),
            (r#"{"api":"native","switches":{}}"#, "providers.ollama.switches"),
            (r#"{"api":"openai"}"#, "providers.ollama.api"),
            (r#"{"kind":"openai","api":"native"}"#, "providers.ollama.api"),
        ] {
            let error = ollama(entry).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{entry}: {}", error.message);
        }
    }
}
