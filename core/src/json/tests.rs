//! Tests of values, with `serde_json` as the oracle: it accepts the same texts, reads the same
//! values and writes the same bytes.

use proptest::prelude::*;

use super::*;

/// Compares the value that `serde_json` reads from a text with ours.
fn agree(text: &str) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    // `serde_json` misreads an object whose one member has its private name for a number's text.
    if text.contains("$serde_json") {
        return Ok(());
    }
    match (parse(text), theirs) {
        (Ok(ours), Ok(theirs)) => same(&ours, &theirs),
        (Err(fault), Err(_)) => {
            prop_assert!(fault.at() <= text.len());
            Ok(())
        }
        (ours, theirs) => {
            Err(TestCaseError::fail(format!("{text:?}: we {ours:?}, serde_json {theirs:?}")))
        }
    }
}

fn same(ours: &Value, theirs: &serde_json::Value) -> Result<(), TestCaseError> {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => {}
        (Value::Bool(a), Theirs::Bool(b)) => prop_assert_eq!(a, b),
        // `serde_json` writes exponents in another form.
        (Value::Number(a), Theirs::Number(b)) => {
            let spelled = a.as_str().replace('E', "e").replace("e+", "e");
            prop_assert_eq!(spelled, b.as_str().replace('E', "e").replace("e+", "e"));
            prop_assert_eq!(a.as_u64(), b.as_u64());
            prop_assert_eq!(a.as_i64(), b.as_i64());
            prop_assert_eq!(a.as_f64(), b.as_f64());
        }
        (Value::String(a), Theirs::String(b)) => prop_assert_eq!(a, b),
        (Value::Array(a), Theirs::Array(b)) => {
            prop_assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                same(a, b)?;
            }
        }
        (Value::Object(a), Theirs::Object(b)) => {
            prop_assert_eq!(a.len(), b.len());
            for ((a, x), (b, y)) in a.iter().zip(b) {
                prop_assert_eq!(a.as_str(), b.as_str());
                same(x, y)?;
            }
        }
        (ours, theirs) => return Err(TestCaseError::fail(format!("{ours:?}, {theirs:?}"))),
    }
    Ok(())
}

/// Values whose texts have every feature of JSON.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z\"\\\\\\x00-\\x1f\\x7fé—🦀]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let names = prop_oneof!["[a-c]", "[a-z\"\\\\\\n]{0,30}", Just("usage".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((names, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_as_serde_json_reads_it(
        text in "[ \\[\\]{}:,\"\\\\eE+.0-9nulltruefalsdDbBcC\\n\\x01é-]{0,24}"
    ) {
        agree(&text)?;
    }

    #[test]
    fn any_number_is_read_as_serde_json_reads_it(text in "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,4})?") {
        agree(&text)?;
    }

    #[test]
    fn any_string_is_read_as_serde_json_reads_it(
        text in "\"([a-z ]{0,20}|\\\\u[dD][89abcdefABCDEF][0-9a-f]{2}|\\\\[a-z\"/\\\\]|\\\\u00[0-9a-g]{2}){0,6}\"?"
    ) {
        agree(&text)?;
    }

    #[test]
    fn a_document_is_written_as_serde_json_writes_it(value in any_value()) {
        let text = String::from_utf8(to_vec(&value, 0)).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        same(&value, &theirs)?;
        prop_assert_eq!(parse(&text), Ok(value));
        // Strings and order agree to the byte. Only exponents may have another form.
        if !text.contains('e') {
            prop_assert_eq!(theirs.to_string(), text);
        }
    }

    #[test]
    fn a_broken_document_is_judged_as_serde_json_judges_it(
        value in any_value(),
        at in any::<prop::sample::Index>(),
        with in "[\\[\\]{}:,\"\\\\0-9 a-z\\x00]{0,2}",
    ) {
        let text = value.to_string();
        let at = text.floor_char_boundary(at.index(text.len() + 1));
        let next = text.ceil_char_boundary((at + 1).min(text.len()));
        agree(&format!("{}{with}{}", &text[..at], &text[at..]))?;
        agree(&format!("{}{with}{}", &text[..at], &text[next..]))?;
        agree(&text[..at])?;
    }

    #[test]
    fn any_string_is_written_as_serde_json_writes_it(text in any::<String>()) {
        prop_assert_eq!(to_vec(&text, 0), serde_json::to_vec(&text).unwrap());
    }
}

#[test]
fn depth_is_bounded_as_in_serde_json() {
    for depth in 120..135 {
        for (start, end) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = if start == "[" { "" } else { "1" };
            agree(&[&start.repeat(depth), inner, &end.repeat(depth)].concat()).unwrap();
        }
    }
    let fault = parse(&"[".repeat(1 << 20)).unwrap_err();
    assert!(fault.is_depth());
}

#[test]
fn numbers_keep_their_text() {
    let text = r#"[1e5,1E+5,-0,0.10,1.0,123456789012345678901234567890.0,1e999]"#;
    let value = parse(text).unwrap();
    assert_eq!(value.to_string(), text);
    let Value::Array(items) = &value else { panic!() };
    assert_eq!(items[0].as_f64(), Some(1e5));
    assert_eq!((items[0].as_u64(), items[6].as_f64()), (None, None));
    // Other serializers get numbers.
    assert_eq!(serde_json::to_string(&items[..5]).unwrap(), "[100000.0,100000.0,0,0.1,1.0]");
}

#[test]
fn of_members_of_one_name_the_last_counts() {
    let value = parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(value.to_string(), r#"{"a":3,"b":2}"#);
    let many: Vec<String> = (0..1_000).map(|i| format!("\"k{}\":{i}", i % 500)).collect();
    let text = format!("{{{}}}", many.join(","));
    agree(&text).unwrap();
}

/// A million names, without and with repeats. The test only ends if the work is linear.
#[test]
fn an_object_of_many_members_is_linear() {
    for modulus in [1_000_000, 100] {
        let mut text = String::from("{");
        for i in 0..1_000_000 {
            if i > 0 {
                text.push(',');
            }
            text.push_str(&format!("\"{}\":0", i % modulus));
        }
        text.push('}');
        let Ok(Value::Object(mut object)) = parse(&text) else { panic!() };
        assert_eq!(object.len(), modulus);
        let mut other = Object::new();
        other.extend(object.clone());
        for i in 0..modulus {
            *object.get_mut(&i.to_string()).unwrap() = Value::Null;
        }
        object.retain(|name, _| name.len() > 1);
        other.extend(object);
        assert_eq!(other.len(), modulus);
    }
}

#[test]
fn members_keep_their_order() {
    let mut object = Object::new();
    for i in 0..200 {
        object.insert(i.to_string(), i as u64);
    }
    assert_eq!(object.shift_remove("7").and_then(|value| value.as_u64()), Some(7));
    assert_eq!(object.insert("8", Value::Null).and_then(|value| value.as_u64()), Some(8));
    assert_eq!((object.get("7"), object.get("8"), object.len()), (None, Some(&Value::Null), 199));
    let names: Vec<String> = object.keys().map(ToString::to_string).collect();
    let wanted: Vec<String> = (0..200).filter(|i| *i != 7).map(|i: i32| i.to_string()).collect();
    assert_eq!(names, wanted);
}

#[test]
fn values_are_small() {
    assert!(size_of::<Value>() <= 32, "{} bytes", size_of::<Value>());
    assert!(size_of::<Key>() <= 24);
}
