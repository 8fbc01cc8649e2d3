//! What the gate of a process's share can do besides.

use tokio::time::Instant;

use super::super::{Gate, Limits, Permit};

impl Gate {
    /// Lets a call pass that has its place elsewhere. It counts here as any other.
    pub(super) fn pass(&self, tokens: u64) -> Permit {
        let now = Instant::now();
        let mut state = self.0.lock();
        state.advance(now, self.0.totals());
        let before = self.0.count(tokens);
        let grant = state.take(now, before, tokens);
        self.0.set_engaged(&mut state);
        self.permit(grant)
    }

    /// Changes the limits to others of the same kinds. What has passed counts on.
    pub(super) fn put_under(&self, limits: Limits) {
        let now = Instant::now();
        let mut state = self.0.lock();
        state.put_under(limits);
        self.0.pump(&mut state, now, None);
        state.wake_all();
    }
}
