//! The receiving side as FM sees it. Its poll is also what moves the provider on.

use crate::state::State;
use fm::{Header, Inbox, Peer, ThreadLock};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub struct ViaInbox {
    shared: Arc<ThreadLock<State>>,
    look_every: u32,
    /// Polls to come that do not ask the provider.
    skip: u32,
    /// When this process said that it leaves.
    leaving_since: Option<Instant>,
}

/// Peers that are about to leave as well say so within this time; one that does not is gone, or has lost its way here.
const FAREWELL: Duration = Duration::from_secs(5);

impl ViaInbox {
    pub fn new(shared: Arc<ThreadLock<State>>, look_every: u32) -> Self {
        ViaInbox { shared, look_every: look_every.max(1), skip: 0, leaving_since: None }
    }
}

impl Inbox for ViaInbox {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let mut next = {
            let mut state = self.shared.lock();
            if self.skip > 0 && !state.has_seen() {
                self.skip -= 1;
                return 0;
            }
            state.progress();
            if budget == 0 { None } else { state.next(None) }
        };
        // What came is often not alone.
        self.skip = if next.is_some() { 0 } else { self.look_every - 1 };
        let mut delivered = 0;
        while let Some(arrival) = next {
            // SAFETY: so many bytes of a slot that is ours until it is passed; its memory lives as long as the state that we share.
            let payload = unsafe { std::slice::from_raw_parts(arrival.payload.as_ptr(), arrival.len) };
            // The lock is free meanwhile: handlers send.
            deliver(arrival.from, arrival.header, if arrival.header.is_garbled() { &[] } else { payload });
            delivered += 1;
            let mut state = self.shared.lock();
            if delivered == budget {
                state.pass(arrival.place);
                break;
            }
            next = state.next(Some(arrival.place));
        }
        delivered
    }

    fn arrived(&self) -> bool {
        self.shared.lock().has_news()
    }

    fn close(&mut self) -> bool {
        let since = *self.leaving_since.get_or_insert_with(Instant::now);
        self.shared.lock().leave() || since.elapsed() > FAREWELL
    }
}
