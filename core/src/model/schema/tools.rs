//! Tools and the form of the answer, as a request names them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::members::Object;

/// A function of the caller's, or one of the provider's own tools, which is sent as it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct ToolDocument {
    /// `function`, or the type of a provider's own tool.
    #[serde(rename = "type")]
    pub kind: String,
    /// The function; with the type `function`.
    pub function: Option<FunctionDocument>,
    /// Anthropic's cache mark: it ends a prefix to cache.
    pub cache_control: Option<Value>,
}

/// A function that is offered to the model.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FunctionDocument {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub parameters: Option<Object>,
    /// Whether arguments must match the schema exactly.
    pub strict: Option<bool>,
}

/// Which tool the model must call.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ToolChoiceDocument {
    /// A word.
    Word(ToolChoiceWord),
    /// A function that must be called: `{"type": "function", "function": {"name": …}}`.
    #[schemars(title = "ToolChoiceFunction")]
    Function {
        /// `function`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// The function.
        function: Option<NamedDocument>,
        /// Its name, in the flat form.
        name: Option<String>,
    },
}

/// Which tool the model must call, as a word.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoiceWord {
    /// The model chooses.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Required,
    /// Another name of `required`.
    Any,
}

/// Something with a name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NamedDocument {
    /// The name.
    pub name: String,
}

/// The form of the answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormatDocument {
    /// Plain text.
    #[schemars(title = "TextFormat")]
    Text,
    /// Some JSON object.
    #[schemars(title = "JSONObjectFormat")]
    JsonObject,
    /// JSON of a schema.
    #[schemars(title = "JSONSchemaFormat")]
    JsonSchema {
        /// The schema and its name.
        json_schema: JsonSchemaDocument,
    },
}

/// A schema and its name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JsonSchemaDocument {
    /// The schema's name; `response` where absent.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// JSON Schema.
    pub schema: Object,
    /// Whether the answer must match exactly.
    pub strict: Option<bool>,
}
