//! Tools and the form of the answer, as a request names them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::members::Object;

/// A function of the caller, or one of the provider's own tools, which is sent unchanged.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct ToolDocument {
    /// `function`, or the type of a provider's own tool.
    #[serde(rename = "type")]
    pub kind: String,
    /// The function, if the type is `function`.
    pub function: Option<FunctionDocument>,
    /// Anthropic's cache mark, which ends a prefix to cache.
    pub cache_control: Option<Value>,
}

/// A function that is offered to the model.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FunctionDocument {
    /// The function's name.
    pub name: String,
    /// What the function does.
    pub description: Option<String>,
    /// The JSON Schema of its arguments.
    pub parameters: Option<Object>,
    /// Whether arguments must match the schema exactly.
    pub strict: Option<bool>,
}

/// The tool that the model must call.
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
        /// The function's name, in the flat form.
        name: Option<String>,
    },
}

/// The tool that the model must call, as a word.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoiceWord {
    /// The model chooses.
    Auto,
    /// The model calls no tool.
    None,
    /// The model must call some tool.
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
    /// Any JSON object.
    #[schemars(title = "JSONObjectFormat")]
    JsonObject,
    /// JSON that follows a schema.
    #[schemars(title = "JSONSchemaFormat")]
    JsonSchema {
        /// The schema and its name.
        json_schema: JsonSchemaDocument,
    },
}

/// A schema and its name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JsonSchemaDocument {
    /// The schema's name. Default: `response`.
    pub name: Option<String>,
    /// What the schema is for.
    pub description: Option<String>,
    /// JSON Schema.
    pub schema: Object,
    /// Whether the answer must match the schema exactly.
    pub strict: Option<bool>,
}
