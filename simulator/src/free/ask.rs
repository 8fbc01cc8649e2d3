//! What a request asks for, read without building a document: strings are borrowed from the body, the messages before
//! the last one leave nothing behind, images and schemas are skipped.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use super::Provider;

#[derive(serde::Deserialize)]
pub(super) struct Ask<'a> {
    #[serde(borrow, default)]
    pub(super) model: Cow<'a, str>,
    #[serde(default)]
    pub(super) stream: bool,
    #[serde(default)]
    pub(super) stream_options: StreamOptions,
    max_tokens: Option<IgnoredAny>,
    #[serde(borrow)]
    messages: Option<Messages<'a>>,
    #[serde(borrow, default)]
    tools: FirstTool<'a>,
}

#[derive(Default, serde::Deserialize)]
pub(super) struct StreamOptions {
    #[serde(default)]
    pub(super) include_usage: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// The complaint about a member that the provider requires.
    pub(super) fn missing(&self, provider: Provider) -> Option<&'static str> {
        if self.model.is_empty() {
            return Some("model: Field required");
        }
        if self.messages.is_none() {
            return Some("messages: Field required");
        }
        (provider == Provider::Anthropic && self.max_tokens.is_none())
            .then_some("max_tokens: Field required")
    }

    pub(super) fn last_user_text(&self) -> &str {
        self.messages
            .as_ref()
            .and_then(|messages| messages.last_user_text.as_deref())
            .unwrap_or_default()
    }

    /// The first tool, if the user just wrote of a "tool". After a tool's result the text is answered, or an agent would
    /// call tools for ever.
    pub(super) fn tool_to_call(&self) -> Option<&str> {
        let asked =
            self.messages.as_ref()?.user_spoke_last && self.last_user_text().contains("tool");
        self.tools.0.as_deref().filter(|_| asked)
    }
}

struct Messages<'a> {
    last_user_text: Option<Cow<'a, str>>,
    user_spoke_last: bool,
}

#[derive(serde::Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    role: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Content<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Messages<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Messages<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of messages")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut messages = Messages { last_user_text: None, user_spoke_last: false };
                while let Some(message) = list.next_element::<Message<'de>>()? {
                    messages.user_spoke_last =
                        message.role == "user" && message.content.0.is_some();
                    if messages.user_spoke_last {
                        messages.last_user_text = message.content.0;
                    }
                }
                Ok(messages)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// A message's text: the string itself, or the last text part of a list.
#[derive(Default)]
struct Content<'a>(Option<Cow<'a, str>>);

#[derive(serde::Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Content<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of parts")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Content(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Content(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Content(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut last = None;
                while let Some(part) = list.next_element::<Part<'de>>()? {
                    last = part.text.or(last);
                }
                Ok(Content(last))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// The name of the first tool: `function.name` (OpenAI, Cohere) or `name` (Anthropic).
#[derive(Default)]
struct FirstTool<'a>(Option<Cow<'a, str>>);

#[derive(serde::Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(serde::Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for FirstTool<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = FirstTool<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tools")
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(FirstTool(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let first = list.next_element::<Tool<'de>>()?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstTool(
                    first
                        .and_then(|tool| tool.function.map(|function| function.name).or(tool.name)),
                ))
            }
        }
        deserializer.deserialize_any(List)
    }
}
