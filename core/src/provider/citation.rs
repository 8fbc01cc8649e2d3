//! Citations in one form: the annotations of OpenAI's chat completions.
//!
//! A source with a URL is a `url_citation`. A file, a document or a tool's result is a
//! `file_citation`, as in OpenAI's Responses. Places in the text are counted in characters (Unicode
//! code points), as OpenAI [rec] and Cohere [rec] count them.

use crate::codec::Object;
use crate::json::Value;
use crate::provider::json::count;

/// A source, as far as the provider tells of it.
#[derive(Debug, Default)]
pub(super) struct Source<'a> {
    pub url: Option<&'a str>,
    pub title: Option<&'a str>,
    /// The id of a file, a document or a tool's result.
    pub id: Option<&'a str>,
    /// The number of a document of the request.
    pub document: Option<u64>,
    /// What the source says.
    pub content: Option<&'a str>,
}

/// Where the words stand that cite a source: from the first character to that behind the last.
pub(super) type Span = Option<(u64, u64)>;

impl Source<'_> {
    /// The annotation of the words at `span`. `None` if nothing is known of the source.
    pub fn annotation(&self, span: Span) -> Option<Value> {
        let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Value::from);
        let span = span.filter(|(start, end)| start < end);
        let place = [
            ("start_index", span.map(|(start, _)| Value::from(start))),
            ("end_index", span.map(|(_, end)| Value::from(end))),
            ("content", text(self.content)),
        ];
        let url = text(self.url);
        let named = match url {
            Some(_) => [("url", url), ("title", text(self.title)), ("", None)],
            None => [
                ("file_id", text(self.id)),
                ("filename", text(self.title)),
                ("document_index", self.document.map(Value::from)),
            ],
        };
        let is_page = named[0].0 == "url";
        let members = named.into_iter().chain(place);
        let members: Object = members.filter_map(|(name, value)| Some((name, value?))).collect();
        let known =
            members.keys().any(|name| !matches!(name.as_str(), "start_index" | "end_index"));
        known.then(|| typed(if is_page { URL } else { FILE }, members))
    }
}

const URL: &str = "url_citation";
const FILE: &str = "file_citation";

fn typed(kind: &'static str, members: Object) -> Value {
    Value::Object(Object::from_iter([("type", Value::from(kind)), (kind, Value::Object(members))]))
}

/// A text that names a page, and no id of another kind.
pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// An annotation in OpenAI's form, or in the flat form of Responses. `None` if it is neither. Its
/// places are moved by `base` characters. Servers' own types and members stay.
pub(super) fn openai(item: Value, base: u64) -> Option<Value> {
    let Value::Object(mut item) = item else { return None };
    let Some(Value::String(kind)) = item.shift_remove("type") else { return None };
    // Both are files in the container of a tool, or files that a tool wrote.
    let kind = match kind.as_str() {
        "container_file_citation" | "file_path" => FILE.to_owned(),
        _ => kind,
    };
    let nested = item.take_if(&kind, Value::is_object);
    let is_flat = nested.is_none();
    let mut members = match nested {
        Some(Value::Object(members)) => members,
        _ => std::mem::take(&mut item),
    };
    members.retain(|name, value| match name.as_str() {
        "url" | "title" | "content" | "file_id" | "filename" | "container_id" => value.is_string(),
        "index" | "document_index" if is_flat || kind == FILE => count(Some(value)).is_some(),
        "start_index" | "end_index" => match count(Some(value)) {
            Some(at) => {
                if base > 0 {
                    *value = at.saturating_add(base).into();
                }
                true
            }
            None => false,
        },
        _ => true,
    });
    if kind == URL && !members.contains_key("url") {
        return None;
    }
    let mut out = Object::from_iter([("type", Value::from(kind.as_str()))]);
    out.insert(kind, members);
    out.extend(item);
    Some(Value::Object(out))
}

/// The sources that an answer names beside its text, without a place: Perplexity's
/// `search_results`, or else the `citations` of Perplexity, xAI and others, which are URLs [rec].
pub(super) fn of_answer(fields: &Object) -> Vec<Value> {
    let list = |name: &str| fields.get(name).and_then(Value::as_array).into_iter().flatten();
    let source = |item: &Value| {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let url = item.as_str().or_else(|| text("url")).filter(|url| is_url(url));
        let content = text("snippet");
        let title = text("title");
        url.and_then(|_| Source { url, title, content, ..Source::default() }.annotation(None))
    };
    let found: Vec<Value> = list("search_results").filter_map(source).collect();
    if found.is_empty() { list("citations").filter_map(source).collect() } else { found }
}

/// The sources that a message names in a member of its server, which stays as it is: the documents of
/// Azure's own data (`context.citations`) [doc], and the pages that Groq's tools found
/// (`executed_tools[].search_results.results`) [rec].
pub(super) fn of_message(fields: &Object) -> Vec<Value> {
    let list = |from: Option<&Value>, name: &str| {
        from.and_then(|from| from.get(name)?.as_array().cloned()).unwrap_or_default()
    };
    let mut items = list(fields.get("context"), "citations");
    for tool in fields.get("executed_tools").and_then(Value::as_array).into_iter().flatten() {
        items.extend(list(tool.get("search_results"), "results"));
    }
    let source = |item: &Value| {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        Source {
            url: text("url").filter(|url| is_url(url)),
            title: text("title"),
            id: text("filepath"),
            content: text("content"),
            ..Source::default()
        }
        .annotation(None)
    };
    items.iter().filter_map(source).collect()
}

/// The tools' results that a part of Mistral's text refers to, by their keys: numbers or texts
/// [sdk mistralai 3.7].
pub(super) fn references(part: &Value) -> impl Iterator<Item = Value> {
    let ids = part.get("reference_ids").and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(|id| {
        let id = id
            .as_str()
            .map_or_else(|| count(Some(id)).map(|id| id.to_string()), |id| Some(id.to_owned()))?;
        Source { id: Some(&id), ..Source::default() }.annotation(None)
    })
}

/// An image that came as base64, in the form of a request's part. Its type is `image/png` if it has
/// none.
#[cfg(any(feature = "bedrock", feature = "gemini", feature = "responses"))]
pub(super) fn image_data(kind: &str, data: &str) -> Value {
    let kind = if kind.is_empty() { "image/png" } else { kind };
    let url = crate::json::json!({"url": format!("data:{kind};base64,{data}")});
    crate::json::json!({"type": "image_url", "image_url": url})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn a_source_is_a_page_or_a_file_or_nothing() {
        let page = Source { url: Some("https://a.b"), title: Some("A"), ..Source::default() };
        let wanted = r#"{"type":"url_citation","url_citation":{"url":"https://a.b","title":"A","start_index":1,"end_index":3}}"#;
        assert_eq!(page.annotation(Some((1, 3))).unwrap().to_string(), wanted);
        let file = Source { title: Some("A"), document: Some(0), ..Source::default() };
        let wanted =
            r#"{"type":"file_citation","file_citation":{"filename":"A","document_index":0}}"#;
        assert_eq!(file.annotation(Some((3, 3))).unwrap().to_string(), wanted);
        assert_eq!(Source::default().annotation(Some((1, 3))), None);
    }

    #[test]
    fn flat_and_nested_forms_are_one() {
        for (from, wanted) in [
            (
                r#"{"type":"url_citation","start_index":1,"end_index":3,"url":"u","title":null}"#,
                r#"{"type":"url_citation","url_citation":{"start_index":11,"end_index":13,"url":"u"}}"#,
            ),
            (
                r#"{"type":"url_citation","url_citation":{"url":"u","start_index":0},"x":1}"#,
                r#"{"type":"url_citation","url_citation":{"url":"u","start_index":10},"x":1}"#,
            ),
            (
                r#"{"type":"container_file_citation","file_id":"f","container_id":"c"}"#,
                r#"{"type":"file_citation","file_citation":{"file_id":"f","container_id":"c"}}"#,
            ),
            (r#"{"type":"file","file":{"hash":"h"}}"#, r#"{"type":"file","file":{"hash":"h"}}"#),
        ] {
            assert_eq!(openai(parse(from).unwrap(), 10).unwrap().to_string(), wanted);
        }
        for neither in [r#""x""#, "{}", r#"{"type":"url_citation"}"#] {
            assert_eq!(openai(parse(neither).unwrap(), 0), None);
        }
    }
}
