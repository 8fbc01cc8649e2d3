//! The request of `count_tokens`: a chat's, with another operation.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use super::RequestDocument;

/// The schema of a chat request whose tokens are to be counted.
#[derive(Debug)]
pub struct CountTokensRequestDocument;

impl JsonSchema for CountTokensRequestDocument {
    fn schema_name() -> Cow<'static, str> {
        "CountTokensRequest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = RequestDocument::json_schema(generator);
        schema.insert("title".into(), "CountTokensRequest".into());
        let about = "The chat request whose input is to be counted. Members that only shape the \
                     answer do not count.";
        schema.insert("description".into(), about.into());
        schema.insert("required".into(), json!(["op"]));
        let members = schema.get_mut("properties").and_then(|members| members.as_object_mut());
        if let Some(members) = members {
            let op = json!({"description": "The operation.", "const": "count_tokens"});
            members.insert("op".into(), op);
            let about = "Not `true`: a count is one answer.";
            let stream = json!({"description": about, "enum": [false, null]});
            members.insert("stream".into(), stream);
        }
        schema
    }
}
