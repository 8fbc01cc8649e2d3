//! Embeddings by `invoke`.

use super::invoke::{Embeds, counted, unknown};
use super::{Bedrock, error, path};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{
    EmbedInput, EmbedRequest, Embeddings, Encoding, InputType, Part, Truncate, Vector,
};
use crate::provider::cohere::{self, Cohere};
use crate::provider::embeddings::{count_vectors, model, no_encoding, not_taken, open, usage};
use crate::provider::json::take_list;
use crate::provider::{Embed, Most, Notes, Target, asked_extra, classify};
use crate::wire::{self, Reply};

impl Embed for Bedrock {
    fn most(&self, request: &EmbedRequest, target: &Target) -> Most {
        let inputs = Embeds::of(&target.model).map_or(1, Embeds::most);
        Most { inputs, tokens: usize::MAX }.that_fits(request, false)
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        let form = form(target)?;
        let mut body = match form {
            Embeds::Titan | Embeds::TitanV2 | Embeds::TitanImage => {
                titan(form, request, target, notes)?
            }
            Embeds::CohereV3 | Embeds::CohereV4 => of_cohere(form, request, target, notes)?,
            Embeds::Nova => nova(request, target, notes)?,
        };
        for (name, value) in asked_extra(&request.extra, target) {
            match (body.get_mut(&name), value) {
                (Some(Value::Object(ours)), Value::Object(theirs)) => ours.extend(theirs),
                (_, value) => drop(body.insert(name, value)),
            }
        }
        Ok(wire::Request::post(path(target, "invoke")?, body.to_json()))
    }

    fn decode(
        &self,
        reply: &Reply<'_>,
        request: &EmbedRequest,
        target: &Target,
    ) -> Result<Embeddings, Error> {
        if !(200..300).contains(&reply.status) {
            return Err(error::of_status(reply, target));
        }
        let mut answer = match form(target)? {
            Embeds::CohereV3 | Embeds::CohereV4 => Embed::decode(&Cohere, reply, request, target)?,
            form => answer(form, reply, request, target)?,
        };
        if let (None, Some((usage, raw))) = (&answer.usage_raw, counted(reply)) {
            (answer.usage, answer.usage_raw) = (Some(usage), Some(raw));
        }
        Ok(answer)
    }
}

fn form(target: &Target) -> Result<Embeds, Error> {
    let form = Embeds::of(model(target)?);
    form.ok_or_else(|| unknown(target, "embeds", "Titan, Nova and Cohere"))
}

/// The one input of a request, as its parts. Images are `data:` URLs.
fn parts(request: &EmbedRequest, target: &Target) -> Result<Vec<Part>, Error> {
    let at = request.part.start;
    match request.asked() {
        [EmbedInput::Text(text)] => {
            Ok(vec![Part::Text { text: text.clone(), cache_control: None }])
        }
        [EmbedInput::Parts(parts)] => Ok(parts.clone()),
        [EmbedInput::Tokens(_)] => Err(not_taken(target, at, "lists of tokens, but texts")),
        _ => Err(not_taken(target, at, "several inputs in one request with this model")),
    }
}

/// The media type's last part, and the data of a `data:` URL.
fn image(url: &str, i: usize) -> Result<(&str, &str), Error> {
    let split = url.strip_prefix("data:image/").and_then(|rest| rest.split_once(";base64,"));
    split.ok_or_else(|| {
        let path = format!("input[{i}]");
        let message = format!(
            "{path}: Bedrock fetches no URL: send the image's data, as data:image/png;base64,…"
        );
        Error::invalid(path, message)
    })
}

fn titan(
    form: Embeds,
    request: &EmbedRequest,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let mut body = Object::new();
    for part in parts(request, target)? {
        let (name, value) = match &part {
            Part::Text { text, .. } => ("inputText", text.as_str()),
            Part::Image { url, .. } if form == Embeds::TitanImage => {
                ("inputImage", image(url, request.part.start)?.1)
            }
            _ => return Err(not_taken(target, request.part.start, "images with this model")),
        };
        if body.insert(name, value).is_some() {
            let what = "several texts or images together with this model";
            return Err(not_taken(target, request.part.start, what));
        }
    }
    if let Some(dimensions) = request.dimensions {
        match form {
            Embeds::TitanV2 => drop(body.insert("dimensions", dimensions)),
            Embeds::TitanImage => {
                body.insert("embeddingConfig", json!({ "outputEmbeddingLength": dimensions }));
            }
            _ => notes.unsupported("dimensions", "this model has no choice of dimensions")?,
        }
    }
    if let Some(asked) = request.input_type {
        let text = format!("Titan cannot be told that an input is a {}", asked.name());
        notes.unsupported("input_type", text)?;
    }
    if request.truncate.is_some_and(|asked| asked != Truncate::None) {
        notes.unsupported("truncate", "Titan cannot be asked to cut inputs off")?;
    }
    only_floats(request, target, notes)?;
    Ok(body)
}

fn only_floats(request: &EmbedRequest, target: &Target, notes: &mut Notes) -> Result<(), Error> {
    if request.encoding.is_float() {
        return Ok(());
    }
    notes.unsupported("encoding", no_encoding(target, request.encoding))
}

/// Cohere's form. The names of the ends that are cut off changed with version 4 [doc].
fn of_cohere(
    form: Embeds,
    request: &EmbedRequest,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let newest = form == Embeds::CohereV4;
    let mut body = Object::new();
    body.insert("input_type", cohere::input_type(request.input_type, target, notes));
    cohere::inputs(request, target, &mut body, |url| Value::from(url))?;
    if !newest && body.contains_key("inputs") {
        return Err(not_taken(target, request.part.start, "parts with this model, but texts"));
    }
    // Without the member they are floats; there is no base64 here [doc].
    if !request.encoding.is_float() {
        body.insert("embedding_types", vec![request.encoding.name()]);
    }
    match request.dimensions {
        None => {}
        Some(dimensions) if newest => drop(body.insert("output_dimension", dimensions)),
        Some(_) => notes.unsupported("dimensions", "this model has no choice of dimensions")?,
    }
    if let Some(asked) = request.truncate {
        let word = match (asked, newest) {
            (Truncate::None, _) => "NONE",
            (Truncate::Start, true) => "LEFT",
            (Truncate::Start, false) => "START",
            (Truncate::End, true) => "RIGHT",
            (Truncate::End, false) => "END",
        };
        body.insert("truncate", word);
    }
    Ok(body)
}

/// Nova's form: one text or one image [rec, doc].
fn nova(request: &EmbedRequest, target: &Target, notes: &mut Notes) -> Result<Object, Error> {
    let mut params = Object::new();
    params.insert("embeddingPurpose", purpose(request.input_type, target, notes));
    if let Some(dimensions) = request.dimensions {
        params.insert("embeddingDimension", dimensions);
    }
    match &parts(request, target)?[..] {
        [Part::Text { text, .. }] => {
            let mode = match request.truncate {
                // The member is required. By default an input that is too long is an error.
                None | Some(Truncate::None) => "NONE",
                Some(Truncate::Start) => "START",
                Some(Truncate::End) => "END",
            };
            params.insert("text", json!({"truncationMode": mode, "value": text}));
        }
        [Part::Image { url, .. }] => {
            let (format, data) = image(url, request.part.start)?;
            let source = json!({ "bytes": data });
            params.insert("image", json!({"format": format, "source": source}));
        }
        _ => return Err(not_taken(target, request.part.start, "several parts together")),
    }
    only_floats(request, target, notes)?;
    Ok(Object::from_iter([
        ("taskType", Value::from("SINGLE_EMBEDDING")),
        ("singleEmbeddingParams", Value::Object(params)),
    ]))
}

/// What a vector is for, which Nova requires.
fn purpose(asked: Option<InputType>, target: &Target, notes: &mut Notes) -> &'static str {
    match asked {
        Some(InputType::Query) => "GENERIC_RETRIEVAL",
        Some(InputType::Document) => "GENERIC_INDEX",
        Some(InputType::Classification) => "CLASSIFICATION",
        Some(InputType::Clustering) => "CLUSTERING",
        None => {
            let message = format!(
                "{} wants to know what the inputs are, and was told that they are documents: give \
                 input_type",
                target.provider
            );
            notes.warn("default_applied", "input_type", message);
            "GENERIC_INDEX"
        }
    }
}

/// An answer in Amazon's forms: one vector.
fn answer(
    form: Embeds,
    reply: &Reply<'_>,
    request: &EmbedRequest,
    target: &Target,
) -> Result<Embeddings, Error> {
    let encoding = match request.encoding {
        Encoding::Float => Encoding::Float,
        _ => Encoding::Base64,
    };
    let (mut object, warnings) = open(reply, target, encoding)?;
    let found = if form == Embeds::Nova {
        let items = take_list(&mut object, "embeddings").unwrap_or_default();
        items.into_iter().map(|mut item| item.as_object_mut()?.shift_remove("embedding")).collect()
    } else {
        // It is the same vector once more.
        object.shift_remove("embeddingsByType");
        vec![object.shift_remove("embedding")]
    };
    if found.is_empty() {
        return Err(classify::bad_response("the answer has no embeddings", reply, target));
    }
    let vector = |value| match value {
        Some(Value::String(text)) => Some(Vector::Packed(text)),
        _ => None,
    };
    let vectors = found.into_iter().map(vector).collect();
    let mut answer = Embeddings {
        vectors: count_vectors(vectors, request, encoding, reply, target)?,
        encoding,
        warnings,
        ..Embeddings::default()
    };
    if let Some(count) = object.shift_remove("inputTextTokenCount").filter(|c| !c.is_null()) {
        answer.usage = Some(usage(Some(&count), None));
        answer.usage_raw = Some(json!({ "inputTextTokenCount": count }));
    }
    object.retain(|_, value| !value.is_null());
    answer.fields = object;
    Ok(answer)
}
