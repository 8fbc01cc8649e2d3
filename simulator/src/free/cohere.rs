//! Cohere v2 chat.

use super::answer::Answer;
use super::text::pieces;
use super::writer::Writer;

/// Cohere's numbers are floats, and it bills fewer tokens than it counts.
fn usage(writer: &mut Writer<'_>, answer: &Answer<'_>) {
    writer.raw(r#"{"billed_units":{"input_tokens":"#).number(answer.prompt_tokens);
    writer.raw(r#".0,"output_tokens":"#).number(answer.completion_tokens);
    writer.raw(r#".0},"tokens":{"input_tokens":"#).number(answer.prompt_tokens + 60);
    writer.raw(r#".0,"output_tokens":"#).number(answer.completion_tokens + 2).raw(".0}}");
}

fn tool_call(writer: &mut Writer<'_>, id: u64, name: &str, arguments: &str) {
    writer
        .raw(r#"{"id":"call_"#)
        .id(id)
        .raw(r#"","type":"function","function":{"name":"#)
        .text(name);
    writer.raw(r#","arguments":"#).text(arguments).raw("}}");
}

pub(super) fn unary(answer: &Answer<'_>, out: &mut Vec<u8>) {
    let mut writer = Writer(out);
    writer.raw(r#"{"id":""#).id(answer.id).raw(r#"","message":{"role":"assistant","#);
    let finish = match answer.tool {
        None => {
            writer.raw(r#""content":[{"type":"text","text":"#).text(answer.text).raw("}]");
            "COMPLETE"
        }
        Some((name, arguments)) => {
            writer.raw(r#""tool_plan":"I will use the tool.","tool_calls":["#);
            tool_call(&mut writer, answer.id, name, arguments);
            writer.raw("]");
            "TOOL_CALL"
        }
    };
    writer.raw(r#"},"finish_reason":"#).text(finish).raw(r#","usage":"#);
    usage(&mut writer, answer);
    writer.raw("}");
}

pub(super) fn stream(answer: &Answer<'_>, out: &mut Vec<u8>, cuts: &mut Vec<usize>) {
    let mut writer = Writer(out);
    writer.raw("event: message-start\ndata: {\"id\":\"").id(answer.id);
    writer.raw("\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\",\"content\":[],");
    writer.raw("\"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}}\n\n");
    let finish = match answer.tool {
        None => {
            writer.raw("event: content-start\ndata: {\"type\":\"content-start\",\"index\":0,");
            writer.raw(
                "\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n",
            );
            for piece in pieces(answer.text, answer.chunks) {
                writer.raw("event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,");
                writer
                    .raw("\"delta\":{\"message\":{\"content\":{\"text\":")
                    .text(piece)
                    .raw("}}}}\n\n");
                cuts.push(writer.0.len());
            }
            writer.raw("event: content-end\ndata: {\"type\":\"content-end\",\"index\":0}\n\n");
            "COMPLETE"
        }
        Some((name, arguments)) => {
            writer.raw("event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",");
            writer.raw("\"delta\":{\"message\":{\"tool_plan\":\"I will use the tool.\"}}}\n\n");
            writer.raw("event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":0,");
            writer.raw("\"delta\":{\"message\":{\"tool_calls\":");
            tool_call(&mut writer, answer.id, name, "");
            writer.raw("}}}\n\n");
            for piece in pieces(arguments, answer.chunks) {
                writer.raw("event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":0,\"delta\":");
                writer
                    .raw("{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":")
                    .text(piece)
                    .raw("}}}}}\n\n");
                cuts.push(writer.0.len());
            }
            writer.raw("event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":0}\n\n");
            "TOOL_CALL"
        }
    };
    writer
        .raw("event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":")
        .text(finish);
    writer.raw(",\"usage\":");
    usage(&mut writer, answer);
    writer.raw("}}\n\ndata: [DONE]\n\n");
}
