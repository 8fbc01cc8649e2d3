//! HTTP/2 over TLS, for free mode and `/_sim/…` only. Cases are about bytes on an HTTP/1.1
//! connection.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use crate::control;
use crate::free::{self, Asking, FreeReply};
use crate::request::MAX_BODY;
use crate::shared::{Shared, error_body};

/// Large bodies should not wait for window updates.
const WINDOW: u32 = 4 << 20;

pub(crate) async fn serve(io: TlsStream<TcpStream>, shared: Arc<Shared>) {
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(io).await else { return };
    shared.counters.h2_connection();
    // The set is dropped with the connection. Answers that are still in flight then count as
    // aborted.
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => {
                    streams.spawn(answer(request, respond, Arc::clone(&shared)));
                }
                Some(Err(_)) | None => return,
            },
            Some(_) = streams.join_next() => {}
        }
    }
}

/// An error means that the peer reset the stream or went away.
async fn answer(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
) -> Result<(), h2::Error> {
    let (head, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = incoming.data().await {
        let data = data?;
        incoming.flow_control().release_capacity(data.len())?;
        if body.len() + data.len() > MAX_BODY {
            respond.send_reset(Reason::ENHANCE_YOUR_CALM);
            return Ok(());
        }
        body.extend_from_slice(&data);
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    if target.starts_with("/_sim/") {
        let (status, _, body) = control::answer(&shared, head.method.as_str(), target);
        return send_json(&mut respond, status, body);
    }

    let open = shared.counters.request();
    if target.starts_with("/case/") {
        let body = error_body("simulator_refused", "cases are played over HTTP/1.1 only");
        send_json(&mut respond, 599, body)?;
    } else {
        let authorised = ["authorization", "x-api-key", "api-key"];
        let authorised = authorised.iter().any(|name| head.headers.contains_key(*name));
        let mut reply = FreeReply::default();
        let method = head.method.as_str();
        let asking = Asking { method, target, authorised, body: &body, id: shared.next_id() };
        free::answer(asking, &shared.turns, &mut reply);
        if reply.knobs.fault.is_some() {
            let body = error_body("simulator_refused", "faults are played over HTTP/1.1 only");
            send_json(&mut respond, 599, body)?;
        } else {
            send_free(&mut respond, reply).await?;
        }
    }
    open.complete();
    Ok(())
}

fn send_json(
    respond: &mut SendResponse<Bytes>,
    status: u16,
    body: String,
) -> Result<(), h2::Error> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    let Ok(response) = response.body(()) else { return Ok(()) };
    respond.send_response(response, false)?.send_data(body.into(), true)
}

async fn send_free(
    respond: &mut SendResponse<Bytes>,
    mut reply: FreeReply,
) -> Result<(), h2::Error> {
    let start = Instant::now();
    let provider = reply.provider;
    let streamed = !reply.cuts.is_empty();
    let mut response = Response::builder().status(reply.status);
    for (name, value) in provider.headers() {
        response = response.header(*name, *value);
    }
    let id = format!("{}{:016x}", provider.request_id_prefix(), reply.id);
    let kind = if streamed { "text/event-stream; charset=utf-8" } else { "application/json" };
    response = response.header(provider.request_id_header(), id).header("content-type", kind);
    let Ok(response) = response.body(()) else { return Ok(()) };

    let parts: Vec<(Duration, usize)> = if streamed {
        free::bursts(&reply).collect()
    } else {
        vec![(reply.knobs.delay, reply.body.len())]
    };
    tokio::select! {
        reset = poll_fn(|cx| respond.poll_reset(cx)) => return Err(reset?.into()),
        () = tokio::time::sleep_until(start + reply.knobs.delay) => {}
    }
    let mut stream = respond.send_response(response, false)?;
    let mut body = Bytes::from(std::mem::take(&mut reply.body));
    let mut from = 0;
    for (at, until) in parts {
        tokio::select! {
            reset = poll_fn(|cx| stream.poll_reset(cx)) => return Err(reset?.into()),
            () = tokio::time::sleep_until(start + at) => {}
        }
        let part = body.split_to(until - from);
        send_data(&mut stream, part, body.is_empty()).await?;
        from = until;
    }
    Ok(())
}

/// Sends as the peer's window allows, so that a peer that does not read delays the answer.
async fn send_data(
    stream: &mut SendStream<Bytes>,
    mut data: Bytes,
    last: bool,
) -> Result<(), h2::Error> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let capacity = match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(capacity) => capacity?.min(data.len()),
            None => return Err(Reason::CANCEL.into()),
        };
        let part = data.split_to(capacity);
        stream.send_data(part, last && data.is_empty())?;
    }
    Ok(())
}
