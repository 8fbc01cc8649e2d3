//! A stream that does not come from a call of its own: a stored answer in chunks, or what has come
//! of a call that several callers share.

use std::sync::{Arc, PoisonError};

use super::Call;
use super::cached::{Begun, Caller};
use super::flight::{Run, Slot};
use super::stream::{Collects, Step};
use crate::admission::{Admission, closed};
use crate::cache::{Event, Reader, chunks};
use crate::error::{Error, ErrorKind, Partial};
use crate::http::until;
use crate::model::{Chunk, OnBreak, Reset, Response};
use crate::operation::Answer;
use crate::services::Services;

/// The chunks of a stored answer that are given at once. A reader may be slow.
const AT_ONCE: usize = 16;

/// A stream without a call of its own.
pub(crate) struct Shared {
    caller: Caller,
    from: From,
    collects: Option<Collects>,
    /// What was given of the first choice's text, and whether anything was given.
    given: Option<String>,
}

enum From {
    Stored(std::vec::IntoIter<Chunk>, Box<Response>),
    /// `first`: the call is this caller's own.
    Seat {
        reader: Reader,
        first: bool,
        slot: Slot,
    },
    /// It begins again, after a reset.
    Anew,
    Over,
}

/// Looks for an answer, or waits for the first content of a call that is shared. `None`: nothing is
/// shared, and the call runs for itself.
pub(crate) async fn open(
    services: &Arc<Services>,
    admission: &Admission,
    call: &Arc<Call>,
    run: Run,
) -> Result<Option<Box<Shared>>, Error> {
    let opening = async {
        let caller = Caller::new(services, call, run).await?;
        let mut shared = Shared { caller, from: From::Over, collects: None, given: None };
        Ok(shared.begin().await?.then(|| Box::new(shared)))
    };
    let opened = admission.unless_closed(opening).await;
    let opened = opened.unwrap_or_else(|| Err(call.failed(closed())));
    opened.map_err(|error| admission.failed(call.traced(services, error)))
}

impl Shared {
    pub(super) fn call(&self) -> &Call {
        &self.caller.call
    }

    pub(super) fn traced(&self, error: Error) -> Error {
        self.call().traced(&self.caller.services, error)
    }

    /// Begins, up to the first content. `false`: nothing is shared.
    async fn begin(&mut self) -> Result<bool, Error> {
        loop {
            let (mut reader, first, slot) = match self.caller.begin().await? {
                Begun::Stored(answer) => {
                    self.from = From::stored(answer)?;
                    return Ok(true);
                }
                Begun::Own => return Ok(false),
                Begun::Seat { reader, first, slot } => (reader, first, slot),
            };
            let ready = async {
                reader.ready().await;
                match reader.failure() {
                    Some(error) => Err(error),
                    None => Ok(()),
                }
            };
            match self.caller.wait(first, ready).await {
                Ok(()) => {
                    self.from = From::Seat { reader, first, slot };
                    return Ok(true);
                }
                Err(error) if !first && self.caller.may_ask_again(&error) => {}
                Err(error) => {
                    self.from = From::stored(self.caller.stands_in(error)?)?;
                    return Ok(true);
                }
            }
        }
    }

    pub(super) fn collected_if(&mut self, collects: Collects) {
        match &self.from {
            // Its own call asks.
            From::Seat { first: true, slot, .. } => {
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(collects);
            }
            _ => self.collects = Some(collects),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Step, Error> {
        if matches!(self.from, From::Anew) && !self.begin().await? {
            let message = "the answer cannot begin anew: its request is not cached any more";
            return Err(self.call().failed(Error::new(ErrorKind::Internal, message)));
        }
        loop {
            let (event, first) = match &mut self.from {
                From::Stored(chunks, _) => {
                    let some: Vec<Chunk> = chunks.take(AT_ONCE).collect();
                    if !some.is_empty() {
                        return Ok(Step::Chunks(some));
                    }
                    let From::Stored(_, response) = std::mem::replace(&mut self.from, From::Over)
                    else {
                        return Err(past_its_end());
                    };
                    return Ok(Step::Done(response));
                }
                From::Seat { reader, first, .. } => {
                    let next = async { Ok(reader.next().await) };
                    (self.caller.wait(*first, next).await?, *first)
                }
                From::Anew | From::Over => return Err(past_its_end()),
            };
            match event {
                Some(Event::Chunks(chunks)) => {
                    let chunks = Arc::unwrap_or_clone(chunks);
                    if !first {
                        self.gave(&chunks);
                    }
                    return Ok(Step::Chunks(chunks));
                }
                Some(Event::Restarted(reset)) if first => return Ok(Step::Restarted(reset)),
                // Nothing was given that is void now.
                Some(Event::Restarted(_)) if self.given.is_none() => {}
                Some(Event::Restarted(reset)) => {
                    if self.may_begin_anew().await {
                        self.given = None;
                        return Ok(Step::Restarted(reset));
                    }
                    self.from = From::Over;
                    return Err(self.broken(&reset));
                }
                None => match self.ended(first).await? {
                    Some(step) => return Ok(step),
                    None => continue,
                },
            }
        }
    }

    /// What the end of the shared call means. `None`: the stored answer follows in chunks.
    async fn ended(&mut self, first: bool) -> Result<Option<Step>, Error> {
        let From::Seat { mut reader, .. } = std::mem::replace(&mut self.from, From::Over) else {
            return Err(past_its_end());
        };
        let landed = match reader.end().await {
            Ok(landed) => landed,
            Err(error) if first || self.given.is_none() => return Err(error),
            Err(error) => {
                let again = self.caller.may_ask_again(&error) && self.may_begin_anew().await;
                if !again {
                    return Err(error);
                }
                (self.from, self.given) = (From::Anew, None);
                return Ok(Some(Step::Restarted(Reset::new(error.kind()))));
            }
        };
        if first && reader.has_read() {
            return Ok(Some(Step::Done(landed.answer.clone().chat()?)));
        }
        let answer = if first { landed.answer.clone() } else { self.caller.joined(&landed) };
        if reader.has_read() {
            return Ok(Some(Step::Done(answer.chat()?)));
        }
        // The shared call was none of a stream.
        self.from = From::stored(answer)?;
        Ok(None)
    }

    fn gave(&mut self, chunks: &[Chunk]) {
        let given = self.given.get_or_insert_default();
        for choice in chunks.iter().flat_map(|chunk| &chunk.choices) {
            if let (0, Some(text)) = (choice.index, &choice.delta.content) {
                given.push_str(text);
            }
        }
    }

    async fn may_begin_anew(&self) -> bool {
        match (self.call().options.on_break, &self.collects) {
            (Some(on_break), _) => on_break == OnBreak::Restart,
            (None, Some(collects)) => {
                until(|| self.call().deadline, collects()).await.unwrap_or(false)
            }
            (None, None) => false,
        }
    }

    /// The error of a reader that has seen what is void now.
    fn broken(&self, reset: &Reset) -> Error {
        let message = "the stream broke, and the call that it is shared with began it again: \
                       options.on_break says whether this one may";
        let text = self.given.clone().unwrap_or_default();
        let partial = Some(Partial { text, ..Partial::default() });
        self.call().failed(Error::new(reset.reason, message).with(|e| e.partial = partial))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let From::Seat { first: true, slot, .. } = &self.from {
            // Nobody asks whether a reader that is gone collects.
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl From {
    fn stored(answer: Answer) -> Result<From, Error> {
        let response = answer.chat()?;
        Ok(From::Stored(chunks(&response).into_iter(), response))
    }
}

fn past_its_end() -> Error {
    Error::new(ErrorKind::Internal, "the stream was read past its end")
}
