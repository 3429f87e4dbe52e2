//! Networks that do not carry.
//!
//! A connection that ends, or is reset, says that the process at its other end is gone: its launcher knows more of that, and
//! ends the job. What nobody else sees is a network that does not carry to a peer, or stopped doing so. That is told here, but only after
//! a while and by a process that has nothing else to do: a call may also be refused because its peer has just died.

use fm::Peer;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Told of a loss: which peer, and what happened.
pub type Tell = Box<dyn Fn(Peer, &str) + Send + Sync>;

/// How long the launcher may take to end a job that has lost a process, or a whole machine: it gives one that is silent 10 seconds, and can
/// say more of it than a process that finds no way there.
const PATIENCE: Duration = Duration::from_secs(13);

/// A process that sleeps while a loss waits to be told looks so often.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub struct Losses {
    tell: Tell,
    any: AtomicBool,
    /// The first, until it was told.
    first: Mutex<Option<Loss>>,
}

struct Loss {
    peer: Peer,
    what: String,
    at: Instant,
}

impl Losses {
    pub fn new(tell: Tell) -> Self {
        Losses { tell, any: AtomicBool::new(false), first: Mutex::new(None) }
    }

    pub fn note(&self, peer: Peer, what: String) {
        if !self.any.swap(true, Relaxed) {
            *self.lock() = Some(Loss { peer, what, at: Instant::now() });
        }
    }

    /// How long a sleep may be, at most.
    pub fn limit(&self) -> Option<Duration> {
        (self.any.load(Relaxed) && self.lock().is_some()).then_some(LOOK_AGAIN)
    }

    /// Tells what has waited for long enough. Returns whether there was something.
    pub fn tell_old(&self) -> bool {
        if !self.any.load(Relaxed) {
            return false;
        }
        let old = self.lock().take_if(|loss| loss.at.elapsed() > PATIENCE);
        if let Some(loss) = &old {
            (self.tell)(loss.peer, &loss.what);
        }
        old.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Loss>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
