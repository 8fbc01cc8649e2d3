//! Case files that are wrong are refused with the file and the reason.

use std::fs;
use std::path::PathBuf;

use liter_llm_simulator::{Case, Options, Simulator, load_cases};

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("chat")).expect("a folder");
    folder
}

#[test]
fn members_that_nobody_knows_or_that_contradict() {
    let table = [
        ("[]", "not a JSON object"),
        (r#"{"exchange": []}"#, "unknown member `exchange`"),
        (r#"{"exchanges": {}}"#, "exchanges: "),
        (r#"{"exchanges": [{}, {"answer": {}}]}"#, "exchanges[1]: unknown member `answer`"),
        (
            r#"{"exchanges": [{"expect": {"url": "/"}}]}"#,
            "exchanges[0].expect: unknown field `url`",
        ),
        (
            r#"{"exchanges": [{"reply": {"reset": true}}]}"#,
            "exchanges[0].reply: unknown field `reset`",
        ),
        (r#"{"exchanges": [{"reply": {"status": 100}}]}"#, "status: 100"),
        (
            r#"{"exchanges": [{"reply": {"body": 1, "sse": []}}]}"#,
            "body and sse exclude one another",
        ),
        (r#"{"exchanges": [{"reply": {"body_hex": "0"}}]}"#, "body_hex: an odd number"),
        (
            r#"{"exchanges": [{"reply": {"body": "abc", "cut_at": 4}}]}"#,
            "cut_at: 4 is beyond the end of the body of 3 bytes",
        ),
        (r#"{"exchanges": [{"reply": {"cut": "end"}}]}"#, "cut without cut_at"),
        (r#"{"exchanges": [{"reply": {"stall_ms": null}}]}"#, "stall_ms without stall_at"),
        (r#"{"exchanges": [{"reply": {"split": {"sed": 1}}}]}"#, "split: expected"),
        (
            r#"{"exchanges": [{"reply": {"split": {"every": 0}}}]}"#,
            "split.every: must be at least 1",
        ),
        (r#"{"exchanges": [{"reply": {"headers": {"a": 1}}}]}"#, "a header value: expected"),
        (r#"{"exchanges": [{"reply": {"endless": "body", "framing": "length"}}]}"#, "endless: "),
    ];
    for (text, wanted) in table {
        let error = Case::parse("t/case", text).expect_err(text);
        assert!(error.contains(wanted), "{text}: {error}");
    }
}

#[test]
fn a_folder_and_a_file_of_lines() {
    let folder = folder("good");
    fs::write(folder.join("chat/a.json"), r#"{"exchanges": []}"#).unwrap();
    fs::write(folder.join("b.json"), "{}").unwrap();
    fs::write(folder.join("notes.txt"), "?").unwrap();
    fs::write(folder.join("more.jsonl"), "{\"id\": \"x/1\"}\n\n{\"id\": \"x/2\"}\n").unwrap();
    assert_eq!(load_cases(&folder).unwrap().len(), 2);
    assert_eq!(load_cases(&folder.join("more.jsonl")).unwrap().len(), 2);
    assert!(
        load_cases(&folder.join("notes.txt"))
            .unwrap_err()
            .contains("neither a directory nor a .jsonl")
    );
}

#[test]
fn errors_name_the_file() {
    let folder = folder("bad");
    fs::write(folder.join("chat/a.json"), r#"{"exchanges": [{"reply": {"bdy": 1}}]}"#).unwrap();
    let error = load_cases(&folder).unwrap_err();
    assert!(error.contains("chat/a.json: exchanges[0].reply: unknown field `bdy`"), "{error}");
    let lines = folder.join("lines.jsonl");
    fs::write(&lines, "{\"id\": \"a\"}\n{}\n").unwrap();
    let error = load_cases(&lines).unwrap_err();
    assert!(error.contains("lines.jsonl:2: the member `id` is missing"), "{error}");
}

#[tokio::test]
async fn one_id_twice() {
    let mut options = Options::default();
    options.cases = vec![Case::parse("a", "{}").unwrap(), Case::parse("a", "{}").unwrap()];
    assert!(
        Simulator::start(options)
            .unwrap_err()
            .to_string()
            .contains("the case \"a\" is given twice")
    );
}
