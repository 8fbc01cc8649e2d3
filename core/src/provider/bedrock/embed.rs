//! Embeddings by `invoke`.

use super::invoke::{Embeds, counted, unknown};
use super::{Bedrock, error, path};
use crate::codec::Object;
use crate::error::Error;
use crate::json::{Value, json};
use crate::model::{EmbedInput, EmbedRequest, Embeddings, Encoding, InputType, Part, Truncate};
use crate::provider::cohere::{self, Cohere};
use crate::provider::embeddings::{check, count_vectors, extra, model, no_encoding, open, usage};
use crate::provider::json::take_list;
use crate::provider::{Embed, Most, Notes, Target, classify};
use crate::wire::{self, Reply};

impl Embed for Bedrock {
    fn most(&self, request: &EmbedRequest, target: &Target) -> Most {
        let inputs = Embeds::of(&target.model).map_or(1, Embeds::most);
        Most::of(inputs, usize::MAX).that_fits(request, false)
    }

    fn refuses(&self, input: &EmbedInput, target: &Target) -> Option<&'static str> {
        refuses(Embeds::of(&target.model)?, input)
    }

    fn encode(
        &self,
        request: &EmbedRequest,
        target: &Target,
        notes: &mut Notes,
    ) -> Result<wire::Request, Error> {
        let form = form(target)?;
        check(self, request, target)?;
        let mut body = match form {
            Embeds::Titan | Embeds::TitanV2 | Embeds::TitanImage => {
                titan(form, request, target, notes)?
            }
            Embeds::CohereV3 | Embeds::CohereV4 => of_cohere(form, request, target, notes)?,
            Embeds::Nova => nova(request, target, notes)?,
        };
        for (name, value) in extra(request, target, written(request))? {
            match (body.get_mut(&name), value) {
                (Some(Value::Object(ours)), Value::Object(theirs)) => ours.extend(theirs),
                (_, value) => drop(body.insert(name, value)),
            }
        }
        Ok(wire::Request::post(path(&target.model, "invoke")?, body.to_json()))
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

/// What of an input a form cannot embed, in words for an error.
fn refuses(form: Embeds, input: &EmbedInput) -> Option<&'static str> {
    let parts = match input {
        EmbedInput::Text(_) => return None,
        EmbedInput::Tokens(_) => return Some("lists of tokens, but texts"),
        EmbedInput::Parts(parts) => parts,
    };
    let images = parts.iter().filter(|part| matches!(part, Part::Image { .. })).count();
    let takes_images = match form {
        Embeds::CohereV3 => return Some("parts with this model, but texts"),
        Embeds::CohereV4 => return None,
        Embeds::TitanImage | Embeds::Nova => true,
        Embeds::Titan | Embeds::TitanV2 => false,
    };
    if images > 0 && !takes_images {
        return Some("images with this model");
    }
    let most = if form == Embeds::TitanImage { 2 } else { 1 };
    if parts.len() > most || (parts.len() == 2 && images != 1) {
        return Some("so many texts or images together with this model");
    }
    let by_url = |part: &Part| matches!(part, Part::Image { url, .. } if image(url).is_none());
    parts.iter().any(by_url).then_some("images by URL, but their data, as data:image/png;base64,…")
}

/// The one input of a request, as its parts.
fn parts(request: &EmbedRequest) -> Vec<Part> {
    match request.asked() {
        [EmbedInput::Text(text)] => vec![Part::Text { text: text.clone(), cache_control: None }],
        [EmbedInput::Parts(parts)] => parts.clone(),
        _ => Vec::new(),
    }
}

/// The media type's last part, and the data of a `data:` URL.
fn image(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:image/")?.split_once(";base64,")
}

/// How Amazon's vectors are written in the answer of ours.
fn written(request: &EmbedRequest) -> Encoding {
    if request.encoding == Encoding::Float { Encoding::Float } else { Encoding::Base64 }
}

fn titan(
    form: Embeds,
    request: &EmbedRequest,
    target: &Target,
    notes: &mut Notes,
) -> Result<Object, Error> {
    let mut body = Object::new();
    for part in parts(request) {
        match &part {
            Part::Text { text, .. } => drop(body.insert("inputText", text)),
            Part::Image { url, .. } => {
                body.insert("inputImage", image(url).map(|(_, data)| data));
            }
            Part::Audio { .. } | Part::File { .. } => {}
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
    cohere::inputs(request, &mut body, |url| Value::from(url));
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
    match &parts(request)[..] {
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
            let (format, data) = image(url).unzip();
            let source = json!({ "bytes": data });
            params.insert("image", json!({"format": format, "source": source}));
        }
        _ => {}
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
    let encoding = written(request);
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
    let text = |value| if let Some(Value::String(text)) = value { Some(text) } else { None };
    let vectors = found.into_iter().map(text).collect();
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
