use super::schema::{Dialect, adapted};
use crate::json::{Value, parse};

fn check(dialect: Dialect, schema: &str, wanted: &str, changes: &[&str]) {
    let (found, told) = adapted(&parse(schema).unwrap(), dialect);
    assert_eq!(found, parse(wanted).unwrap(), "{schema}\n{found}");
    assert_eq!(told, changes, "{schema}");
    // What is in the dialect stays as it is.
    assert_eq!(adapted(&found, dialect), (found, Vec::new()));
}

#[test]
fn anthropic_takes_closed_objects_without_bounds() {
    check(
        Dialect::Anthropic,
        r##"{"type":"object","properties":{
            "minimum":{"type":"integer","minimum":1,"maximum":10,"description":"A score"},
            "tags":{"type":"array","items":{"type":"string","minLength":1},"minItems":1,"maxItems":3},
            "when":{"type":"string","format":"date"},"regex":{"type":"string","format":"regex"},
            "one":{"oneOf":[{"type":"null"},{"$ref":"#/$defs/A"}]}},
            "$defs":{"A":{"type":"object","properties":{},"additionalProperties":true}}}"##,
        r##"{"type":"object","properties":{
            "minimum":{"type":"integer","description":"A score\n\n{minimum: 1, maximum: 10}"},
            "tags":{"type":"array","items":{"type":"string","description":"{minLength: 1}"},
                "minItems":1,"description":"{maxItems: 3}"},
            "when":{"type":"string","format":"date"},
            "regex":{"type":"string","description":"{format: \"regex\"}"},
            "one":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/A"}]}},
            "$defs":{"A":{"type":"object","properties":{},"additionalProperties":false}},
            "additionalProperties":false}"##,
        &[
            "additionalProperties is false",
            "minimum goes to the description",
            "maximum goes to the description",
            "maxItems goes to the description",
            "minLength goes to the description",
            "format goes to the description",
            "oneOf is anyOf",
        ],
    );
}

#[test]
fn the_strict_dialect_requires_each_member() {
    check(
        Dialect::OpenAiStrict,
        r##"{"type":"object","properties":{
            "a":{"type":"string"},"b":{"type":"integer","default":1},
            "c":{"enum":["x"],"type":"string"},"d":{"$ref":"#/$defs/D"}},"required":["a"],
            "$defs":{"D":{"type":"object","properties":{"e":{"type":"null"}},"required":["e"],
                "additionalProperties":false}}}"##,
        r##"{"type":"object","properties":{
            "a":{"type":"string"},"b":{"type":["integer","null"],"description":"{default: 1}"},
            "c":{"enum":["x",null],"type":["string","null"]},
            "d":{"anyOf":[{"$ref":"#/$defs/D"},{"type":"null"}]}},"required":["a","b","c","d"],
            "$defs":{"D":{"type":"object","properties":{"e":{"type":"null"}},"required":["e"],
                "additionalProperties":false}},"additionalProperties":false}"##,
        &[
            "additionalProperties is false",
            "optional members are required and may be null",
            "default goes to the description",
        ],
    );
}

#[test]
fn no_schema_is_left_as_it_is() {
    for schema in ["true", "{}", r#"{"type":"string"}"#, r#"{"type":"object"}"#] {
        let value: Value = parse(schema).unwrap();
        let (_, changes) = adapted(&value, Dialect::OpenAiStrict);
        assert_eq!(changes.is_empty(), !schema.contains("object"), "{schema}");
    }
}
