//! The messages of answers, which are written by hand or hold JSON of the providers.

use schemars::JsonSchema;
use serde::Serialize;

use super::members::Object;

/// The model's message.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "AssistantMessage")]
pub struct AssistantMessageDocument {
    /// `assistant`.
    #[schemars(extend("const" = "assistant"))]
    pub role: String,
    /// The text, or `null` if the provider gave none.
    pub content: Option<String>,
    /// The model's calls of the caller's tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallDocument>,
    /// The model's refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The reasoning text, if the provider shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// What the text cites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<AnnotationDocument>,
    /// Images that the model made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<AnswerImageDocument>,
    /// Speech that the model made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<AnswerAudioDocument>,
    /// Members of the provider's message that have no place here.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub provider_fields: Object,
}

/// A call of one of the caller's tools.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "ToolCall")]
pub struct ToolCallDocument {
    /// The provider's id of the call, or empty if it gave none.
    pub id: String,
    /// `function`.
    #[serde(rename = "type")]
    #[schemars(extend("const" = "function"))]
    pub kind: String,
    /// The called function.
    pub function: CalledDocument,
}

/// A called function.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CalledDocument {
    /// The function's name.
    pub name: String,
    /// The function's arguments: JSON text, as the provider wrote it.
    pub arguments: String,
}

/// A citation of the text. Its type says which member it has. A type that is not listed is a
/// server's own.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Annotation")]
pub struct AnnotationDocument {
    /// `url_citation` or `file_citation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A page that is cited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_citation: Option<UrlCitationDocument>,
    /// A file, a document or the result of a tool that is cited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_citation: Option<FileCitationDocument>,
}

/// A page that is cited.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "URLCitation")]
pub struct UrlCitationDocument {
    /// The page's URL.
    pub url: String,
    /// The page's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Where the words begin that cite it: a place in `content`, in characters (Unicode code
    /// points).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_index: Option<u64>,
    /// Where these words end: the place behind the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_index: Option<u64>,
    /// What the page says there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// A file, a document or the result of a tool that is cited.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "FileCitation")]
pub struct FileCitationDocument {
    /// The provider's id of the file, of the document, or of the tool's result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// The file's name, or the document's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The number of the document among those of the request, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_index: Option<u64>,
    /// The container of a tool that wrote the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// The number that OpenAI gives, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// Where the words begin that cite it: a place in `content`, in characters (Unicode code
    /// points).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_index: Option<u64>,
    /// Where these words end: the place behind the last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_index: Option<u64>,
    /// What the source says there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// An image that the model made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "AnswerImage")]
pub struct AnswerImageDocument {
    /// `image_url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The place of the image.
    pub image_url: AnswerImageUrlDocument,
}

/// The place of an image that the model made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "AnswerImageURL")]
pub struct AnswerImageUrlDocument {
    /// A `data:` URL with base64, or a URL of the provider.
    pub url: String,
}

/// Speech that the model made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "AnswerAudio")]
pub struct AnswerAudioDocument {
    /// The provider's id, by which the answer goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The sound in base64, in the format that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// The words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Until when the provider knows the id: seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<u64>,
    /// The sound's type, if the provider names it: `audio/L16;codec=pcm;rate=24000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}
