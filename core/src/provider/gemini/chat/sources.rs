//! The citations of a candidate as annotations. Their places are bytes of the text's UTF-8 [rec].

use super::characters::Characters;
use super::parts::{self, Said};
use crate::codec::{MAX_DOCUMENT, Object};
use crate::json::Value;
use crate::model::Choice;
use crate::provider::citation::{Source, Span};
use crate::provider::json::count;

/// The member of a candidate that holds its citations.
pub(super) const CITATIONS: &str = "citationMetadata";

/// The member of a candidate that holds the sources of its search, and what they support.
const GROUNDING: &str = "groundingMetadata";

/// The annotations of a candidate. `None` if its citations repeat more than any answer holds: each
/// may name a source that is as long as the answer.
pub(super) fn annotations(choice: &Choice, parts: &[Value]) -> Option<Vec<Value>> {
    let fields = &choice.provider_fields;
    let [grounding, citations] = [GROUNDING, CITATIONS].map(|name| fields.get(name));
    if grounding.is_none() && citations.is_none() {
        return Some(Vec::new());
    }
    let text = choice.message.content.as_deref().unwrap_or_default();
    let mut found = Found { text: Characters::of(text), all: Vec::new(), bytes: 0 };
    if let Some(Value::Object(grounding)) = grounding {
        found.grounded(grounding, parts)?;
    }
    for name in ["citations", "citationSources"] {
        for citation in citations.and_then(|all| all.get(name)?.as_array()).into_iter().flatten() {
            found.cited(citation)?;
        }
    }
    Some(found.all)
}

struct Found<'a> {
    text: Characters<'a>,
    all: Vec<Value>,
    /// The length of the sources' texts.
    bytes: usize,
}

impl Found<'_> {
    fn grounded(&mut self, grounding: &Object, parts: &[Value]) -> Option<()> {
        let list = |name: &str| grounding.get(name).and_then(Value::as_array);
        let chunks: Vec<Source<'_>> =
            list("groundingChunks").into_iter().flatten().map(source).collect();
        let starts = starts(parts);
        let mut named = vec![false; chunks.len()];
        for support in list("groundingSupports").into_iter().flatten() {
            let span = support.get("segment").and_then(|segment| self.segment(segment, &starts));
            let numbers = support.get("groundingChunkIndices").and_then(Value::as_array);
            for number in numbers.into_iter().flatten() {
                let number = count(Some(number)).and_then(|number| usize::try_from(number).ok());
                let Some((number, chunk)) = number.and_then(|n| Some((n, chunks.get(n)?))) else {
                    continue;
                };
                named[number] = true;
                self.add(chunk, span)?;
            }
        }
        // A source that no words name has no place.
        for (chunk, _) in chunks.iter().zip(named).filter(|(_, named)| !named) {
            self.add(chunk, None)?;
        }
        Some(())
    }

    /// A segment is counted from the beginning of its part, and in a stream, where the parts of
    /// different events have the same number, from that of the text [rec]. Its words decide.
    fn segment(&self, segment: &Value, starts: &[u64]) -> Span {
        let at = |name: &str| count(segment.get(name));
        let (start, end) = (at("startIndex").unwrap_or(0), at("endIndex")?);
        let part = at("partIndex").and_then(|part| starts.get(usize::try_from(part).ok()?));
        let words = segment.get("text").and_then(Value::as_str);
        // Texts that follow each other are one part here, so a number alone is not enough.
        if words.is_none() && at("partIndex").is_some_and(|part| part > 0) {
            return None;
        }
        [part.copied().unwrap_or(0), 0].into_iter().find_map(|base| {
            let (start, end) = (base.checked_add(start)?, base.checked_add(end)?);
            let fits = words.is_none_or(|words| self.text.has(words, start, end));
            if fits { self.text.span(start, end) } else { None }
        })
    }

    fn cited(&mut self, citation: &Value) -> Option<()> {
        let text = |name: &str| citation.get(name).and_then(Value::as_str);
        let text = |name: &str| text(name).filter(|text| !text.is_empty());
        let source = Source { url: text("uri"), title: text("title"), ..Source::default() };
        let end = count(citation.get("endIndex"));
        let start = count(citation.get("startIndex")).unwrap_or(0);
        let span = end.and_then(|end| self.text.span(start, end));
        self.add(&source, span)
    }

    fn add(&mut self, source: &Source<'_>, span: Span) -> Option<()> {
        let texts = [source.url, source.title, source.id, source.content];
        self.bytes += texts.into_iter().flatten().map(str::len).sum::<usize>();
        self.all.extend(source.annotation(span));
        (self.bytes <= MAX_DOCUMENT).then_some(())
    }
}

/// The bytes of the text before each part.
fn starts(parts: &[Value]) -> Vec<u64> {
    let mut so_far = 0;
    let length = |part: &Value| match parts::said(part) {
        Said::Text(text) => text.len() as u64,
        _ => 0,
    };
    let start = |part| {
        let start = so_far;
        so_far += length(part);
        start
    };
    parts.iter().map(start).collect()
}

/// The source of a chunk: a page, a place on the map, or a document of the caller's [doc].
fn source(chunk: &Value) -> Source<'_> {
    let kinds = ["web", "maps", "retrievedContext", "image"];
    let found = kinds.into_iter().find_map(|kind| chunk.get(kind));
    let text = |name: &str| found.and_then(|found| found.get(name)?.as_str());
    let url = text("uri").or_else(|| text("sourceUri")).filter(|url| !url.is_empty());
    let id = text("documentName");
    Source { url, title: text("title"), id, content: text("text"), document: None }
}
