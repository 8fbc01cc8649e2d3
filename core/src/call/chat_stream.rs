//! A streamed answer, as its caller reads it: from a call of its own, from the cache, or from a call
//! that several callers share.

use std::pin::pin;
use std::sync::Arc;

use super::Call;
use super::served::Served;
use super::shared::Shared;
use super::stream::{Collects, Open, Step};
use crate::admission::{Admission, closed};
use crate::error::Error;
use crate::model::Response;
use crate::observe::CallOutcome;
use crate::services::Services;

/// A streamed answer.
pub struct ChatStream {
    source: Source,
    admission: Admission,
}

/// Where a stream comes from.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every stream is a call's own, and is boxed whole"
)]
enum Source {
    /// Its own call.
    Own(Open),
    /// The cache, or a call that it shares with others.
    Shared(Box<Shared>),
}

impl ChatStream {
    /// A stream that has delivered its first content.
    pub(crate) fn new(
        services: &Arc<Services>,
        admission: Admission,
        call: &Arc<Call>,
        served: Served,
    ) -> Self {
        ChatStream { source: Source::Own(Open::new(services, call, served)), admission }
    }

    /// A stream that others may share.
    pub(crate) fn shared(admission: Admission, shared: Box<Shared>) -> Self {
        ChatStream { source: Source::Shared(shared), admission }
    }

    /// Tells the stream how to learn, when its answer has broken, that its caller only collects the
    /// answer. Then the answer begins again, unless `options.on_break` says otherwise.
    pub fn collected_if(&mut self, collects: Collects) {
        match &mut self.source {
            Source::Own(open) => open.collects = Some(collects),
            Source::Shared(shared) => shared.collected_if(collects),
        }
    }

    /// Reads to the end and returns the whole answer. No chunk is delivered, so an answer that
    /// breaks begins again, unless `options.on_break` says otherwise.
    pub async fn collect(mut self) -> Result<Box<Response>, Error> {
        self.collected_if(Box::new(|| Box::pin(std::future::ready(true))));
        loop {
            if let Step::Done(response) = self.next().await? {
                return Ok(response);
            }
        }
    }

    /// The next step. After `Done` or an error there is nothing more.
    pub async fn next(&mut self) -> Result<Step, Error> {
        let step = match &mut self.source {
            Source::Own(open) => self.admission.unless_closed(pin!(open.next())).await,
            // Boxed: without the box every stream's future would have room for this one.
            Source::Shared(shared) => self.admission.unless_closed(Box::pin(shared.next())).await,
        };
        let step = step.unwrap_or_else(|| Err(self.source.failed(closed())));
        let step = step.map_err(|error| self.admission.failed(self.source.traced(error)))?;
        if let Step::Done(response) = &step {
            self.admission.ended(&[CallOutcome::from(&**response)]);
        }
        Ok(step)
    }

    /// Waits for `room`, which a slow reader makes, until the call's deadline or until the client
    /// is closed.
    pub async fn wait_for_reader(&mut self, room: impl Future<Output = ()>) -> Result<(), Error> {
        let deadline = match &self.source {
            Source::Own(open) => open.call.deadline,
            Source::Shared(shared) => shared.call().deadline,
        };
        let outcome = self.admission.wait_for_reader(deadline, room).await;
        outcome.map_err(|error| {
            let error = self.source.failed(error);
            self.admission.failed(self.source.traced(error))
        })
    }
}

impl Source {
    /// The form that `next` would give to an error that happened outside of the stream.
    fn failed(&mut self, error: Error) -> Error {
        match self {
            Source::Own(open) => open.failed(error),
            Source::Shared(shared) => shared.call().failed(error),
        }
    }

    /// The error with the trace of this call, if somebody asks.
    fn traced(&self, error: Error) -> Error {
        match self {
            Source::Own(open) => open.call.traced(&open.services, error),
            Source::Shared(shared) => shared.traced(error),
        }
    }
}
