//! Networks that do not carry.
//!
//! That a peer cannot be reached any more usually means that its process is gone. Its launcher knows more of that, and ends the job. What nobody
//! else sees is a network that does not carry, or stopped doing so: it is told here, but only after a while.

use fm::Peer;
use std::time::{Duration, Instant};

/// Told of a loss: which peer, and what happened.
pub type Tell = Box<dyn Fn(Peer, &str) + Send + Sync>;

/// How long the launcher may take to end a job that has lost a process, or a whole machine.
const PATIENCE: Duration = Duration::from_secs(13);

pub struct Losses {
    tell: Tell,
    first: Option<Loss>,
    told: bool,
}

struct Loss {
    peer: Peer,
    what: String,
    at: Instant,
}

impl Losses {
    pub fn new(tell: Tell) -> Losses {
        Losses { tell, first: None, told: false }
    }

    /// The first one counts: others follow from it.
    #[cold]
    pub fn note(&mut self, peer: Peer, what: String) {
        if self.first.is_none() && !self.told {
            self.first = Some(Loss { peer, what, at: Instant::now() });
        }
    }

    pub fn any(&self) -> bool {
        self.first.is_some()
    }

    /// Tells what has waited for long enough.
    #[cold]
    pub fn tell_old(&mut self) {
        if let Some(loss) = self.first.take_if(|loss| loss.at.elapsed() > PATIENCE) {
            self.told = true;
            (self.tell)(loss.peer, &loss.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn the_first_loss_is_told_once_after_a_while() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&told);
        let mut losses = Losses::new(Box::new(move |peer, what| sink.lock().unwrap().push((peer, what.to_owned()))));
        losses.note(Peer(3), "no route".into());
        losses.note(Peer(4), "no route either".into());
        losses.tell_old();
        assert!(losses.any() && told.lock().unwrap().is_empty(), "the launcher may say more");
        losses.first.as_mut().unwrap().at -= PATIENCE + Duration::from_millis(1);
        losses.tell_old();
        losses.note(Peer(5), "gone".into());
        losses.tell_old();
        assert_eq!(*told.lock().unwrap(), [(Peer(3), "no route".to_owned())]);
        assert!(!losses.any());
    }
}
