//! The end of an attempt: what is reported of it, and what it did cost.

use tokio::time::Instant;

use super::ledger::Ticket;
use super::served::{Content, Failure, Head, Served};
use super::{Call, notices, priced, probe, redact};
use crate::auth::Proof;
use crate::error::Error;
use crate::observe::Reason;
use crate::operation::Decoded;
use crate::provider::Notes;
use crate::services::Services;
use crate::target::AttemptGuard;

/// What is kept of a request that was sent.
pub(super) struct Sent {
    pub(super) key: Option<Proof>,
    pub(super) notes: Notes,
    /// The credential was refused, and the next one may pass.
    pub(super) mended: bool,
}

/// Reports the outcome of an attempt to its guard and to the ledger.
pub(super) fn settle(
    services: &Services,
    call: &Call,
    index: usize,
    ticket: Ticket,
    guard: AttemptGuard,
    came: Result<(Head, Content), Error>,
    sent: Sent,
) -> Result<Served, Failure> {
    let now = Instant::now();
    let (head, came) = match came {
        Ok(came) => came,
        Err(error) => {
            let secrets = call.secrets(services, index, sent.key.as_ref());
            let error = call.place(redact::error(&secrets, error), index);
            call.ledger.end(ticket, Some(&error), now);
            match sent.mended {
                true => guard.mended(&error, now),
                false => report(services, call, index, guard, &error, now),
            }
            return Err(Failure { error, tried: true, mended: sent.mended });
        }
    };
    guard.answered(now, call.operation.streams());
    let (guard, first_content) = match &came {
        Content::Whole(answer) => {
            call.ledger.first_content(ticket, now);
            call.ledger.end(ticket, None, now);
            let turns = guard.done(answer.usage(), now);
            notices::turned(services, call, index, turns, None);
            paid(services, call, index, ticket, answer);
            (None, None)
        }
        Content::Stream(opened) => {
            let shown = opened.reader.committed();
            if shown {
                call.ledger.first_content(ticket, now);
            }
            (Some(guard), shown.then_some(now))
        }
    };
    let Sent { key, notes, .. } = sent;
    let (target, warnings, content) = (index, notes.into_warnings(), came);
    Ok(Served { target, ticket, guard, head, key, warnings, first_content, content })
}

/// Puts what an answer cost in the place of what was reserved for it, and learns from it.
pub(super) fn paid(
    services: &Services,
    call: &Call,
    index: usize,
    ticket: Ticket,
    answer: &Decoded,
) {
    if services.learns_usage {
        let chosen = &call.targets[index];
        let size = call.operation.size(call.facts().request_bytes);
        chosen.state.usual.learn(size.likely_input(), answer.usage());
    }
    if services.budgets.is_some() {
        let usd = || priced::usd(services, call, index, answer);
        call.ledger.paid(ticket, usd);
    }
}

/// Reports a failed attempt to its guard.
pub(super) fn report(
    services: &Services,
    call: &Call,
    index: usize,
    guard: AttemptGuard,
    error: &Error,
    now: Instant,
) {
    let turns = guard.failed(error, call.deadline <= now || error.own_timer, now);
    notices::turned(services, call, index, turns, Some(&Reason::from(error)));
    probe::watch(services, &call.targets[index], now);
}
