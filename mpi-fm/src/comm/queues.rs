//! A communicator's matching queues, which exist before the communicator does.
//!
//! A process tells the other members by which number it knows the new communicator, and from then on they may send; so the queues are made
//! first. They stay when the user frees the communicator, until nothing waits in them any more.

use crate::adi::envelope::Plane;
use crate::adi::matching::Matcher;
use crate::adi::receive::{Arrived, Body};
use crate::error::Result;
use crate::handle::{self, Handle, Kind};
use crate::process::Process;
use crate::tally::Depths;
use fm::{ThreadLock, Threading};
use std::sync::Arc;

/// A posted receive: its request.
pub type PostedReceive = Handle;

/// One member's receives and unexpected messages of one communicator.
pub struct Queues {
    /// Index and generation in the table: what others address messages to.
    pub serial: u32,
    planes: [ThreadLock<Matcher<PostedReceive, Arrived>>; Plane::COUNT],
    /// How long the program's own queues are.
    pub depths: Arc<Depths>,
}

impl Queues {
    fn new(serial: u32, threading: Threading) -> Queues {
        let matchers: [Matcher<PostedReceive, Arrived>; Plane::COUNT] = Default::default();
        let depths = Arc::clone(matchers[Plane::PointToPoint as usize].depths());
        Queues { serial, planes: matchers.map(|matcher| ThreadLock::new(threading, matcher)), depths }
    }

    #[inline]
    pub fn plane(&self, plane: Plane) -> &ThreadLock<Matcher<PostedReceive, Arrived>> {
        &self.planes[plane as usize]
    }

    /// Receives still wait.
    fn is_awaited(&self) -> bool {
        self.planes.iter().any(|plane| plane.lock().posted_len() > 0)
    }
}

impl Process {
    /// Queues for a communicator to come.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub(crate) fn new_queues(&self) -> Result<Arc<Queues>> {
        self.reap_queues();
        let handle =
            self.queues.insert_with(|handle| Arc::new(Queues::new(handle::serial(handle), self.threading())))?;
        self.queues.get(handle).map(Arc::clone)
    }

    /// The queues that a message is addressed to.
    #[inline]
    pub(crate) fn queues_of(&self, serial: u32) -> Option<&Arc<Queues>> {
        self.queues.find(handle::with_serial(Kind::Comm, serial))
    }

    /// The communicator is gone, or never came to be.
    pub(crate) fn retire_queues(&self, queues: Arc<Queues>) {
        self.retired_queues.lock().push(queues);
    }

    /// Frees the retired queues in which nothing waits.
    fn reap_queues(&self) {
        let mut retired = self.retired_queues.lock();
        retired.retain(|queues| {
            // One reference is here, one in the table; more belong to operations under way.
            if Arc::strong_count(queues) > 2 || queues.is_awaited() {
                return true;
            }
            let removed = self.queues.remove(handle::with_serial(Kind::Comm, queues.serial));
            debug_assert!(removed.is_ok());
            self.refund_unreceived(queues);
            false
        });
    }

    /// Nobody will receive these messages; their senders get their budget back.
    fn refund_unreceived(&self, queues: &Queues) {
        for plane in &queues.planes {
            while let Some(arrived) = plane.lock().take_where(|_| true) {
                if let Body::Whole(body) = &arrived.body
                    && arrived.from != self.me()
                {
                    self.owe(arrived.from, body.len() as u64);
                }
            }
        }
    }
}
