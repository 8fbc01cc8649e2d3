//! Reads one streamed body, however it is cut, into chunks and the whole answer.
//!
//! The reader is pure, as the adapters are: the pipeline feeds it from a socket, the tests and the
//! fuzzers from memory. A body that is not a complete stream is an error. Examples are a body
//! without its terminal event and one that is no event stream at all (an empty body, a page of
//! HTML, an error object under status 200).

use ::http::HeaderMap;

use super::{Assembly, Chat, Completion, Progress, StreamDecoder, Target, classify, registry};
use crate::codec::MAX_DOCUMENT;
use crate::error::{Error, ErrorKind, Partial};
use crate::model::Chunk;
use crate::wire::{Event, EventError, Frames, Framing, Reply};

/// The reader of one streamed body.
pub struct StreamReader {
    adapter: &'static dyn Chat,
    target: Target,
    form: Form,
    framing: Framing,
    frames: Frames,
    decoder: Box<dyn StreamDecoder>,
    assembly: Assembly,
    done: bool,
    /// The number of bytes so far.
    bytes: usize,
}

/// The size of the largest stream. All its content is kept for the whole answer. Each token may
/// come with some hundred bytes around it, so this is far more than a document may have.
const MAX_STREAM: usize = 8 * MAX_DOCUMENT;

/// The form of the body.
enum Form {
    /// Nothing but white space so far.
    Unknown,
    /// Events, as the framing cuts them.
    Events,
    /// One JSON document: an error, or the whole answer from a server that does not stream.
    Json(Vec<u8>),
}

impl StreamReader {
    /// A reader for an answer of `target`. `merge` joins adjacent text deltas.
    #[must_use]
    pub fn new(adapter: &'static dyn Chat, target: &Target, merge: bool) -> Self {
        let (framing, decoder) = adapter.stream_decoder(target);
        StreamReader {
            adapter,
            target: target.clone(),
            form: Form::Unknown,
            framing,
            frames: Frames::new(framing),
            decoder,
            assembly: Assembly::new(merge),
            done: false,
            bytes: 0,
        }
    }

    /// Takes the next bytes. After `Done` nothing more is read.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Progress, Error> {
        if self.done {
            return Ok(Progress::Done);
        }
        self.read(bytes).map_err(|error| self.broken(error))
    }

    fn read(&mut self, mut bytes: &[u8]) -> Result<Progress, Error> {
        self.bytes += bytes.len();
        if self.bytes > MAX_STREAM {
            let message = "the stream is larger than 256 MiB";
            return Err(Error::new(ErrorKind::BadResponse, message));
        }
        if matches!(self.form, Form::Unknown) {
            // White space before the first event is dropped, however it is cut: a recorded stream
            // starts with " data:".
            bytes = bytes.trim_ascii_start();
            match bytes.first() {
                None => return Ok(Progress::More),
                // A line of JSON is an event, also if it is the only one.
                Some(b'{' | b'[') if self.framing != Framing::Ndjson => {
                    self.form = Form::Json(Vec::new());
                }
                Some(b'<') => {
                    return Err(Error::new(
                        ErrorKind::BadResponse,
                        "the answer is a page of HTML, not an event stream: check base_url and any \
                         proxy on the way",
                    ));
                }
                Some(_) => self.form = Form::Events,
            }
        }
        if let Form::Json(body) = &mut self.form {
            if body.len() + bytes.len() > MAX_DOCUMENT {
                return Err(Error::new(ErrorKind::BadResponse, "the answer is larger than 32 MiB"));
            }
            body.extend_from_slice(bytes);
            return Ok(Progress::More);
        }
        self.frames.push(bytes);
        while let Some(event) = self.frames.next_event().map_err(bad_events)? {
            if is_keep_alive(&event) {
                continue;
            }
            let progress = self.decoder.event(event, &mut self.assembly)?;
            if progress == Progress::Done {
                self.assembly.complete();
            }
            self.assembly.end_event();
            if let Some(what) = self.assembly.flooded() {
                let message = format!("the stream has {what}: no answer does");
                return Err(Error::new(ErrorKind::BadResponse, message));
            }
            if progress == Progress::Done {
                self.done = true;
                return Ok(Progress::Done);
            }
        }
        Ok(Progress::More)
    }

    /// Ends the body, after its framing ended properly.
    pub fn end(&mut self, headers: &HeaderMap) -> Result<(), Error> {
        if self.done {
            return Ok(());
        }
        self.finish(headers).map_err(|error| self.broken(error))?;
        self.done = true;
        Ok(())
    }

    fn finish(&mut self, headers: &HeaderMap) -> Result<(), Error> {
        match &self.form {
            Form::Unknown => Err(Error::new(
                ErrorKind::StreamBroken,
                "the answer has an empty body under a status that means success",
            )),
            Form::Json(body) => {
                let reply = Reply { status: 200, headers, body, received: None };
                let completion = self.adapter.decode(&reply, &self.target)?;
                self.assembly = Assembly::from_completion(completion);
                Ok(())
            }
            Form::Events => {
                // The last event may end in half a character: the stream ended early, and the event
                // is not at fault.
                let last = self.frames.last_event();
                let last = last.map_err(|_| unterminated("the rest of its last event"))?;
                if let Some(event) = last.filter(|event| !is_keep_alive(event)) {
                    let progress = self.decoder.event(event, &mut self.assembly);
                    if matches!(progress, Ok(Progress::Done)) {
                        self.assembly.complete();
                    }
                    self.assembly.end_event();
                    match progress {
                        Ok(Progress::Done) => return Ok(()),
                        Ok(Progress::More) => {}
                        // It may also end in half a document.
                        Err(error) if error.kind() == ErrorKind::BadResponse => {
                            return Err(unterminated("the rest of its last event"));
                        }
                        Err(error) => return Err(error),
                    }
                }
                self.decoder.end(&mut self.assembly)?;
                self.assembly.complete();
                Ok(())
            }
        }
    }

    /// Adds the text so far to an error in the middle of a stream.
    #[must_use]
    pub fn broken(&self, mut error: Error) -> Error {
        if self.assembly.committed() {
            let text = self.assembly.text_so_far().to_owned();
            error.partial = Some(Partial { text, ..Partial::default() });
        }
        error
    }

    /// Whether content has arrived.
    #[must_use]
    pub fn committed(&self) -> bool {
        self.assembly.committed()
    }

    /// Whether the terminal event has come.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// The number of bytes so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number of chunks that wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.assembly.waiting()
    }

    /// The chunks since the last call.
    pub fn take_chunks(&mut self) -> Vec<Chunk> {
        self.assembly.take_chunks()
    }

    /// The whole answer, after `Done` or a successful [`StreamReader::end`].
    #[must_use]
    pub fn into_completion(self) -> Completion {
        self.assembly.into_completion()
    }
}

/// Whether an event only keeps the connection alive: an empty one, a comment that a proxy wrapped
/// as data (`data: : keepalive`), or one whose name says so. A failure does not, whatever it is.
fn is_keep_alive(event: &Event<'_>) -> bool {
    if event.failed {
        return false;
    }
    let data = event.data.trim_ascii();
    let named = !event.name.is_empty()
        && matches!(event.name, "ping" | "keepalive" | "keep-alive" | "heartbeat");
    let empty = data.is_empty() && event.name != "error";
    named || data.starts_with(':') || empty
}

/// The answer of a server that streams unasked. `None` for any other.
pub(super) fn unasked(reply: &Reply<'_>, target: &Target) -> Option<Result<Completion, Error>> {
    let body = reply.body.trim_ascii_start();
    let marks: [&[u8]; 4] = [b"data:", b"event:", b"id:", b":"];
    if !marks.iter().any(|mark| body.starts_with(mark)) {
        return None;
    }
    streamed(reply, target)
}

/// The answer of a whole body that is a stream. `None` if the provider has no chats.
pub(super) fn streamed(reply: &Reply<'_>, target: &Target) -> Option<Result<Completion, Error>> {
    let chat = registry::row(target.kind)?.chat()?;
    let mut reader = StreamReader::new(chat, target, true);
    let read = reader.push(reply.body).and_then(|_| reader.end(reply.headers));
    Some(match read {
        Ok(()) => Ok(reader.into_completion()),
        Err(error) => Err(classify::locate(error, reply, target)),
    })
}

fn bad_events(error: EventError) -> Error {
    let kind = match error {
        // The bytes were changed on the way, which another attempt mends.
        EventError::Checksum => ErrorKind::StreamBroken,
        _ => ErrorKind::BadResponse,
    };
    Error::new(kind, format!("the event stream is malformed: {error}"))
}

/// The error of a stream that ended without its terminal event.
pub(super) fn unterminated(what: &str) -> Error {
    Error::new(
        ErrorKind::StreamBroken,
        format!("the stream ended without {what}: the answer is not complete"),
    )
}
