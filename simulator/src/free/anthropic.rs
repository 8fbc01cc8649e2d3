//! Anthropic messages.

use super::answer::Answer;
use super::text::pieces;
use super::writer::Writer;

const USAGE_START: &str = r#"{"input_tokens":"#;
const USAGE_MIDDLE: &str = concat!(
    r#","cache_creation_input_tokens":0,"cache_read_input_tokens":0,"#,
    r#""cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":"#
);
const USAGE_END: &str = r#","service_tier":"standard"}"#;

fn usage(writer: &mut Writer<'_>, answer: &Answer<'_>, output_tokens: u64) {
    writer
        .raw(USAGE_START)
        .number(answer.prompt_tokens)
        .raw(USAGE_MIDDLE)
        .number(output_tokens)
        .raw(USAGE_END);
}

fn message_start(writer: &mut Writer<'_>, answer: &Answer<'_>) {
    writer
        .raw(r#"{"id":"msg_01"#)
        .id(answer.id)
        .raw(r#"","type":"message","role":"assistant","model":"#);
    writer.text(answer.model).raw(r#","content":["#);
}

pub(super) fn unary(answer: &Answer<'_>, out: &mut Vec<u8>) {
    let mut writer = Writer(out);
    message_start(&mut writer, answer);
    let stop = match answer.tool {
        None => {
            writer.raw(r#"{"type":"text","text":"#).text(answer.text).raw("}");
            "end_turn"
        }
        Some((name, arguments)) => {
            writer
                .raw(r#"{"type":"tool_use","id":"toolu_01"#)
                .id(answer.id)
                .raw(r#"","name":"#)
                .text(name);
            writer.raw(r#","input":"#).raw(arguments).raw("}");
            "tool_use"
        }
    };
    writer.raw(r#"],"stop_reason":"#).text(stop).raw(r#","stop_sequence":null,"usage":"#);
    usage(&mut writer, answer, answer.completion_tokens);
    writer.raw("}");
}

pub(super) fn stream(answer: &Answer<'_>, out: &mut Vec<u8>, cuts: &mut Vec<usize>) {
    let mut writer = Writer(out);
    writer.raw("event: message_start\ndata: {\"type\":\"message_start\",\"message\":");
    message_start(&mut writer, answer);
    writer.raw(r#"],"stop_reason":null,"stop_sequence":null,"usage":"#);
    usage(&mut writer, answer, 1);
    writer.raw("}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":");
    let (content, delta, stop) = match answer.tool {
        None => {
            writer.raw(r#"{"type":"text","text":""}"#);
            (answer.text, r#"{"type":"text_delta","text":"#, "end_turn")
        }
        Some((name, arguments)) => {
            writer
                .raw(r#"{"type":"tool_use","id":"toolu_01"#)
                .id(answer.id)
                .raw(r#"","name":"#)
                .text(name);
            writer.raw(r#","input":{}}"#);
            (arguments, r#"{"type":"input_json_delta","partial_json":"#, "tool_use")
        }
    };
    writer.raw("}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n");
    for piece in pieces(content, answer.chunks) {
        writer.raw("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":");
        writer.raw(delta).text(piece).raw("}}\n\n");
        cuts.push(writer.0.len());
    }
    writer
        .raw("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n");
    writer
        .raw("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":")
        .text(stop);
    writer
        .raw(r#","stop_sequence":null},"usage":{"output_tokens":"#)
        .number(answer.completion_tokens);
    writer.raw("}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}
