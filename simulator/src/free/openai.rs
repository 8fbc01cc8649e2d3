//! OpenAI chat completions.

use super::answer::Answer;
use super::text::pieces;
use super::writer::{Writer, now};

fn usage(answer: &Answer<'_>, out: &mut Vec<u8>) {
    let mut writer = Writer(out);
    writer.raw(r#"{"prompt_tokens":"#).number(answer.prompt_tokens);
    writer.raw(r#","completion_tokens":"#).number(answer.completion_tokens);
    writer.raw(r#","total_tokens":"#).number(answer.prompt_tokens + answer.completion_tokens);
    writer.raw(concat!(
        r#","prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"#,
        r#""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"#,
        r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#
    ));
}

pub(super) fn unary(answer: &Answer<'_>, out: &mut Vec<u8>) {
    let mut writer = Writer(out);
    writer.raw(r#"{"id":"chatcmpl-"#).id(answer.id);
    writer.raw(r#"","object":"chat.completion","created":"#).number(now());
    writer.raw(r#","model":"#).text(answer.model);
    writer.raw(r#","choices":[{"index":0,"message":{"role":"assistant","content":"#);
    let finish = match answer.tool {
        None => {
            writer.text(answer.text);
            "stop"
        }
        Some((name, arguments)) => {
            writer.raw(r#"null,"tool_calls":[{"id":"call_"#).id(answer.id);
            writer.raw(r#"","type":"function","function":{"name":"#).text(name);
            writer.raw(r#","arguments":"#).text(arguments).raw("}}]");
            "tool_calls"
        }
    };
    writer
        .raw(r#","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"#)
        .text(finish);
    writer.raw(r#"}],"usage":"#);
    usage(answer, writer.0);
    out.extend_from_slice(br#","service_tier":"default","system_fingerprint":"fp_simulator"}"#);
}

pub(super) fn stream(answer: &Answer<'_>, out: &mut Vec<u8>, cuts: &mut Vec<usize>) {
    let mut start = Vec::with_capacity(200);
    Writer(&mut start)
        .raw(r#"data: {"id":"chatcmpl-"#)
        .id(answer.id)
        .raw(r#"","object":"chat.completion.chunk","created":"#)
        .number(now())
        .raw(r#","model":"#)
        .text(answer.model)
        .raw(r#","service_tier":"default","system_fingerprint":"fp_simulator","choices":["#);
    let usage_null = if answer.include_usage { r#","usage":null"# } else { "" };
    let delta = |out: &mut Vec<u8>, delta: &dyn Fn(&mut Writer<'_>), finish: &str| {
        out.extend_from_slice(&start);
        let mut writer = Writer(out);
        writer.raw(r#"{"index":0,"delta":"#);
        delta(&mut writer);
        writer
            .raw(r#","logprobs":null,"finish_reason":"#)
            .raw(finish)
            .raw("}]")
            .raw(usage_null)
            .raw("}\n\n");
    };

    let finish = match answer.tool {
        None => {
            let opening = r#"{"role":"assistant","content":"","refusal":null}"#;
            delta(
                out,
                &|writer| {
                    writer.raw(opening);
                },
                "null",
            );
            for piece in pieces(answer.text, answer.chunks) {
                delta(
                    out,
                    &|writer| {
                        writer.raw(r#"{"content":"#).text(piece).raw("}");
                    },
                    "null",
                );
                cuts.push(out.len());
            }
            r#""stop""#
        }
        Some((name, arguments)) => {
            let opening = |writer: &mut Writer<'_>| {
                writer.raw(r#"{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_"#).id(answer.id);
                writer.raw(r#"","type":"function","function":{"name":"#).text(name);
                writer.raw(r#","arguments":""}}],"refusal":null}"#);
            };
            delta(out, &opening, "null");
            for piece in pieces(arguments, answer.chunks) {
                let piece = |writer: &mut Writer<'_>| {
                    writer
                        .raw(r#"{"tool_calls":[{"index":0,"function":{"arguments":"#)
                        .text(piece)
                        .raw("}}]}");
                };
                delta(out, &piece, "null");
                cuts.push(out.len());
            }
            r#""tool_calls""#
        }
    };
    delta(
        out,
        &|writer| {
            writer.raw("{}");
        },
        finish,
    );
    if answer.include_usage {
        out.extend_from_slice(&start);
        out.extend_from_slice(br#"],"usage":"#);
        usage(answer, out);
        out.extend_from_slice(b"}\n\n");
    }
    out.extend_from_slice(b"data: [DONE]\n\n");
}
