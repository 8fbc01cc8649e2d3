//! One request on the library's threads, and its last event.
//!
//! Whatever happens to the task (an answer, an error, a cancel, a close, a panic, the end of the
//! engine), the queue gets exactly one last event: [`LastWord`] says it when it is dropped unsaid.

use std::sync::{Arc, Weak};

use liter_llm_core::{Admission, Chunk, Client, Error, HttpStep, Options, Outcome, Started, Step};
use memchr::memmem;

use crate::engine::{self, Engine, unsaid};
use crate::lane::Lanes;
use crate::logs;
use crate::queue::Queue;
use crate::{LITER_LLM_E_INTERNAL, LITER_LLM_EVENT_ERROR, LITER_LLM_EVENT_RESULT};

/// Starts a request. An error is a status for the caller, and no event follows.
pub(crate) fn submit(
    client: &Client,
    admission: Admission,
    lanes: &Arc<Lanes>,
    queue: &Arc<Queue>,
    token: u64,
    request: &[u8],
    options: &[u8],
) -> Result<(), i32> {
    let engine = engine::start().map_err(|_| LITER_LLM_E_INTERNAL)?;
    let number = queue.begin(token)?;
    let last = LastWord { queue: Arc::downgrade(queue), token, said: false };
    let lane = match wants_lane(request, options) && queue.reserve_lane() {
        // Without a lane (no descriptor left, say) the call runs as any other.
        true => lanes.take(engine).map_err(|_| queue.release_lane()).ok(),
        false => None,
    };
    let (request, options) = (request.to_vec(), options.to_vec());
    let Some(lane) = lane else {
        // Boxed: its future is large, and starting and ending a task moves it several times.
        let work = Box::pin(run(engine, client.clone(), admission, last, request, options));
        if let Some(abort) = engine.spawn(work) {
            queue.started(token, number, abort);
        }
        return Ok(());
    };
    let client = lane.client.clone();
    let work = Box::pin(run(engine, client, admission, last, request, options));
    let abort = lane.spawn(async move {
        engine.until_stopped(work).await;
    });
    queue.started(token, number, abort);
    queue.attach(token, lane, Arc::clone(lanes));
    Ok(())
}

/// Whether the call is to run on the thread that reads the queue. A stream never does: its socket is
/// read, and its timers run, also while the reader is busy elsewhere.
fn wants_lane(request: &[u8], options: &[u8]) -> bool {
    memmem::find(options, b"\"inline\"").is_some()
        && Options::parse(options).is_ok_and(|options| options.inline == Some(true))
        && memmem::find(request, b"\"stream\"").is_none()
}

async fn run(
    engine: &'static Engine,
    client: Client,
    admission: Admission,
    mut last: LastWord,
    request: Vec<u8>,
    options: Vec<u8>,
) {
    match stages(&client, admission, &last, &request, &options).await {
        Ok(Some(document)) => last.say(LITER_LLM_EVENT_RESULT, 0, document),
        Ok(None) => {}
        Err(error) => {
            let error = engine.blame(error);
            logs::failed(&error);
            last.say(LITER_LLM_EVENT_ERROR, error.status.map_or(0, i32::from), error.to_json());
        }
    }
}

/// `None`: the queue is gone, and nobody is left to be told.
async fn stages(
    client: &Client,
    admission: Admission,
    last: &LastWord,
    request: &[u8],
    options: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let answer = match client.start(admission, request, options).await? {
        Started::Whole(answer) => answer,
        Started::Stream(mut stream) => loop {
            match stream.next().await? {
                Step::Done(response) => {
                    break Outcome::Answer(liter_llm_core::Answer::Chat(response));
                }
                Step::Chunks(chunks) => {
                    let Some(queue) = last.queue.upgrade() else { return Ok(None) };
                    let (payload, count) = lines(&chunks);
                    let room = queue.chunks(last.token, payload, count);
                    stream.wait_for_reader(room).await?;
                }
                Step::Restarted(reset) => {
                    let Some(queue) = last.queue.upgrade() else { return Ok(None) };
                    let mut payload = Vec::with_capacity(64);
                    reset.write_json(&mut payload);
                    payload.push(b'\n');
                    let room = queue.chunks(last.token, payload, 1);
                    stream.wait_for_reader(room).await?;
                }
            }
        },
        Started::Http(mut stream) => loop {
            match stream.next().await? {
                HttpStep::Done(answer) => break Outcome::Http(answer),
                HttpStep::Event(event) => {
                    let Some(queue) = last.queue.upgrade() else { return Ok(None) };
                    let mut payload = Vec::with_capacity(event.size());
                    event.write_json(&mut payload);
                    payload.push(b'\n');
                    let room = queue.chunks(last.token, payload, 1);
                    stream.wait_for_reader(room).await?;
                }
            }
        },
    };
    logs::succeeded(&answer);
    Ok(Some(answer.to_json()))
}

/// Chunk documents, one a line.
fn lines(chunks: &[Chunk]) -> (Vec<u8>, u32) {
    let mut payload = Vec::with_capacity(chunks.len() * 256);
    for chunk in chunks {
        chunk.write_json(&mut payload);
        payload.push(b'\n');
    }
    (payload, u32::try_from(chunks.len()).unwrap_or(u32::MAX))
}

/// Says a request's last event, at the latest when it is dropped.
struct LastWord {
    queue: Weak<Queue>,
    token: u64,
    said: bool,
}

impl LastWord {
    fn say(&mut self, kind: u32, status: i32, payload: Vec<u8>) {
        self.said = true;
        if let Some(queue) = self.queue.upgrade() {
            queue.end(self.token, kind, status, payload);
        }
    }
}

impl Drop for LastWord {
    fn drop(&mut self) {
        if !self.said {
            self.say(LITER_LLM_EVENT_ERROR, 0, unsaid().to_json());
        }
    }
}
