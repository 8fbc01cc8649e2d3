use super::schema::{Dialect, adapted, refers_to_itself};
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
            "minimum goes to the description",
            "maximum goes to the description",
            "maxItems goes to the description",
            "minLength goes to the description",
            "format goes to the description",
            "oneOf is anyOf",
            "additionalProperties is false",
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
            "default goes to the description",
            "additionalProperties is false",
            "optional members are required and may be null",
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

#[test]
fn a_schema_that_refers_to_itself_is_known() {
    for (schema, wanted) in [
        (
            r##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"items":{"$ref":"#/$defs/A"}}}}"##,
            true,
        ),
        (r##"{"properties":{"children":{"items":{"$ref":"#"}}}}"##, true),
        (
            r##"{"$ref":"#/$defs/A","$defs":{"A":{"items":{"$ref":"#/$defs/B"}},"B":{"anyOf":[{"$ref":"#/$defs/A"}]}}}"##,
            true,
        ),
        (
            r##"{"anyOf":[{"$ref":"#/definitions/a~1b"}],"definitions":{"a/b":{"not":{"$ref":"#/definitions/a~1b"}}}}"##,
            true,
        ),
        // Twice is not a circle, nor is a definition that nothing uses, nor a reference to nowhere.
        (
            r##"{"properties":{"a":{"$ref":"#/$defs/A"},"b":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
            false,
        ),
        (r##"{"$defs":{"A":{"items":{"$ref":"#/$defs/A"}}}}"##, false),
        (r##"{"$ref":"#/$defs/Nowhere"}"##, false),
        (r##"{"properties":{"$ref":{"type":"string"}}}"##, false),
        ("true", false),
    ] {
        assert_eq!(refers_to_itself(&parse(schema).unwrap()), wanted, "{schema}");
    }
}

#[test]
fn the_strict_dialect_has_references_alone() {
    check(
        Dialect::OpenAiStrict,
        r##"{"$ref":"#/$defs/Node","$defs":{"Node":{"type":"object","properties":{
            "next":{"$ref":"#/$defs/Node","default":null,"description":"Next"},
            "one":{"allOf":[{"$ref":"#/$defs/Node"}],"description":"One"},
            "url":{"type":"string","format":"uri"},
            "all":{"type":"array","items":{"$ref":"#/$defs/Node"},"uniqueItems":true}},
            "required":["one","url","all"],"additionalProperties":false}}}"##,
        r##"{"$defs":{"Node":{"type":"object","properties":{
            "next":{"description":"Next\n\n{default: null}",
                "anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}]},
            "one":{"description":"One","anyOf":[{"$ref":"#/$defs/Node"}]},
            "url":{"type":"string","description":"{format: \"uri\"}"},
            "all":{"type":"array","items":{"$ref":"#/$defs/Node"},
                "description":"{uniqueItems: true}"}},
            "required":["one","url","all","next"],"additionalProperties":false}},
            "type":"object","properties":{
            "next":{"description":"Next\n\n{default: null}",
                "anyOf":[{"$ref":"#/$defs/Node"},{"type":"null"}]},
            "one":{"description":"One","anyOf":[{"$ref":"#/$defs/Node"}]},
            "url":{"type":"string","description":"{format: \"uri\"}"},
            "all":{"type":"array","items":{"$ref":"#/$defs/Node"},
                "description":"{uniqueItems: true}"}},
            "required":["one","url","all","next"],"additionalProperties":false}"##,
        &[
            "the first $ref is what it refers to",
            "default goes to the description",
            "$ref stands alone",
            "allOf is anyOf",
            "format goes to the description",
            "uniqueItems goes to the description",
            "optional members are required and may be null",
        ],
    );
}
