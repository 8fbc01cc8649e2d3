//! One request on the library's threads, and its last event.
//!
//! The queue gets exactly one last event, whatever the outcome of the task: an answer, an error, a
//! cancel, a close, a panic, the end of the engine. [`LastWord`] sends that event when it is
//! dropped without having sent one.

use std::pin::Pin;
use std::sync::{Arc, Weak};

use liter_llm_core::{
    Admission, Answer, Begun, ChatStream, Chunk, Client, Error, HttpStep, Marked, Outcome,
    Response, Started, Step, Wanted,
};

use crate::engine::{self, Engine, panicked, unsaid};
use crate::lane::Lanes;
use crate::queue::Queue;
use crate::{
    LITER_LLM_EVENT_ERROR, LITER_LLM_EVENT_RESULT, LITER_LLM_SUBMIT_CREDIT,
    LITER_LLM_SUBMIT_INLINE, LITER_LLM_SUBMIT_SINGLE, LITER_LLM_SUBMIT_STREAM,
    LITER_LLM_SUBMIT_WHOLE, guard, status,
};

/// What is asked, and how its answer comes.
pub(crate) struct Order<'a> {
    pub(crate) token: u64,
    pub(crate) how: How,
    pub(crate) request: &'a [u8],
    pub(crate) options: &'a [u8],
}

/// The flags of a submit.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// The call runs on the thread that reads the queue. A stream never does: its socket is read, and
    /// its timers run, also while the reader is busy elsewhere.
    inline: bool,
    /// The host gives credit for what it has consumed of a stream.
    on_credit: bool,
    wanted: Wanted,
}

impl How {
    /// `None`: a bit that means nothing, or bits that contradict one another.
    pub(crate) fn of(flags: u32) -> Option<How> {
        const WHOLE: u32 = LITER_LLM_SUBMIT_WHOLE | LITER_LLM_SUBMIT_INLINE;
        const CHUNKS: u32 = LITER_LLM_SUBMIT_STREAM | LITER_LLM_SUBMIT_CREDIT;
        const KNOWN: u32 = WHOLE | CHUNKS | LITER_LLM_SUBMIT_SINGLE;
        if flags & WHOLE != 0 && flags & CHUNKS != 0 {
            return None;
        }
        let stream = match (flags & LITER_LLM_SUBMIT_STREAM != 0, flags & WHOLE != 0) {
            (false, false) => None,
            (stream, _) => Some(stream),
        };
        let on_credit = flags & LITER_LLM_SUBMIT_CREDIT != 0;
        let wanted = Wanted { stream, single: flags & LITER_LLM_SUBMIT_SINGLE != 0 };
        let inline = flags & LITER_LLM_SUBMIT_INLINE != 0;
        (flags & !KNOWN == 0).then_some(How { inline, on_credit, wanted })
    }
}

/// Starts a request. An error is a status for the caller, and no event follows.
pub(crate) fn submit(
    client: &Client,
    admission: Admission,
    lanes: &Arc<Lanes>,
    queue: &Arc<Queue>,
    order: Order<'_>,
) -> Result<(), i32> {
    let Order { token, how: How { inline, on_credit, wanted }, request, options } = order;
    let engine = engine::start().map_err(|error| status::refused(&error))?;
    let number = queue.begin(token, on_credit)?;
    let last = LastWord { queue: Arc::downgrade(queue), token, said: false };
    if client.stores_answers() {
        if let Some(work) = begin_shared(engine, client, admission, wanted, request, options, last)
            && let Some(abort) = engine.spawn(work)
        {
            queue.started(token, number, abort);
        }
        return Ok(());
    }
    let lane = match inline && queue.reserve_lane() {
        // Without a lane (if no descriptor is left, for example) the call runs as any other.
        true => lanes.take(engine).map_err(|_| queue.release_lane()).ok(),
        false => None,
    };
    let client = lane.as_ref().map_or(client, |lane| &lane.client).clone();
    let (request, options) = (Box::<[u8]>::from(request), Box::<[u8]>::from(options));
    let start = async move { client.start(admission, &request, &options, wanted).await };
    // The future is boxed, because it is large and starting and ending a task moves it several
    // times.
    let work = Box::pin(run(engine, start, last));
    if let Some(lane) = lane {
        let work = Box::pin(async move {
            engine.until_stopped(work).await;
        });
        queue.attach(token, work, lane, Arc::clone(lanes));
    } else if let Some(abort) = engine.spawn(work) {
        queue.started(token, number, abort);
    }
    Ok(())
}

/// Begins a call of a client that stores answers. A stored answer is there at once. Another call may
/// wait for the same one longer than this one's caller does, so what is left of it runs on the
/// library's threads.
fn begin_shared(
    engine: &'static Engine,
    client: &Client,
    admission: Admission,
    wanted: Wanted,
    request: &[u8],
    options: &[u8],
    mut last: LastWord,
) -> Option<Pin<Box<impl Future<Output = ()> + Send + use<>>>> {
    let begun = guard(Err(panicked()), || client.begin(admission, request, options, wanted));
    match begun {
        Ok(Begun::Waiting(waiting)) => return Some(Box::pin(run(engine, waiting.start(), last))),
        Ok(Begun::Answered(outcome)) => {
            last.say(LITER_LLM_EVENT_RESULT, 0, outcome.to_json_behind(0));
        }
        Err(error) => last.fail(error),
    }
    None
}

async fn run(
    engine: &'static Engine,
    start: impl Future<Output = Result<Started, Error>>,
    mut last: LastWord,
) {
    match stages(start, &last).await {
        Ok(Some(document)) => last.say(LITER_LLM_EVENT_RESULT, 0, document),
        Ok(None) => {}
        Err(error) => last.fail(engine.blame(error)),
    }
}

/// `None`: the queue is gone, and nobody is left to be told.
async fn stages(
    start: impl Future<Output = Result<Started, Error>>,
    last: &LastWord,
) -> Result<Option<Marked>, Error> {
    let answer = match start.await? {
        Started::Whole(answer) => answer,
        Started::Stream(stream) => match chunks(stream, last).await? {
            Some(response) => Outcome::Answer(Answer::Chat(response)),
            None => return Ok(None),
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
    Ok(Some(answer.to_json_behind(0)))
}

/// Hands a stream's chunks to its reader, unless that wants the whole answer only.
async fn chunks(
    mut stream: Box<ChatStream>,
    last: &LastWord,
) -> Result<Option<Box<Response>>, Error> {
    let Some(queue) = last.queue.upgrade() else { return Ok(None) };
    let reading = queue.stream(last.token);
    drop(queue);
    let asked = Arc::clone(&reading);
    stream.collected_if(Box::new(move || {
        let reading = Arc::clone(&asked);
        Box::pin(async move { reading.collects().await })
    }));
    loop {
        let (payload, count) = match stream.next().await? {
            Step::Done(response) => return Ok(Some(response)),
            _ if reading.is_collected() => continue,
            Step::Chunks(chunks) => lines(&chunks),
            Step::Restarted(reset) => {
                let mut payload = Vec::with_capacity(64);
                reset.write_json(&mut payload);
                payload.push(b'\n');
                (payload, 1)
            }
        };
        let Some(queue) = last.queue.upgrade() else { return Ok(None) };
        let room = queue.chunks(last.token, payload, count);
        stream.wait_for_reader(room).await?;
    }
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
    fn fail(&mut self, error: Error) {
        let status = error.status.map_or(0, i32::from);
        self.say(LITER_LLM_EVENT_ERROR, status, error.to_json().into());
    }

    fn say(&mut self, kind: u32, status: i32, document: Marked) {
        self.said = true;
        if let Some(queue) = self.queue.upgrade() {
            queue.end(self.token, kind, status, document);
        }
    }
}

impl Drop for LastWord {
    fn drop(&mut self) {
        if !self.said {
            self.say(LITER_LLM_EVENT_ERROR, 0, unsaid().to_json().into());
        }
    }
}
