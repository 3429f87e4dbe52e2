//! Blocking collectives inside a node: the members show each other their data on a [board](fm::board), and look.
//!
//! A communicator gets its board in one of its first calls, if all members share memory. From then on each blocking call takes
//! [`Turn`]s on it: one step of the board, or several for long data. A call whose lengths only some members know shows that it takes place, and goes
//! on by messages, as do nonblocking ones, which know nothing of the board.
//!
//! The algorithms are in the folders of the operations, in files named `board.rs`. All are flat: everyone looks at whatever concerns
//! it in the part of who has it. There is nobody in between who would have to get a core first.

pub mod pieces;
pub mod turn;

use super::cx::{Cx, Tags};
use super::operation::{Form, Operation};
use crate::comm::Comm;
use crate::comm::exchange::{self, Members, Record};
use crate::error::Result;
use crate::process::Process;
use fm::ThreadLock;
use fm::board::places::Opened;
use fm::board::{Bell, Place};
use std::sync::Arc;

pub use turn::Turn;

/// A communicator's board, as one member has it.
pub struct CommBoard {
    opened: Opened,
    bell: Box<dyn Bell>,
}

/// Blocking calls before a communicator gets its board: many communicators see few, and opening one is a call of its own.
const CALLS_BEFORE: u32 = 3;

/// Where a member's part is, if it has one.
#[derive(Clone, Copy)]
struct Offer(Option<Place>);

const NONE: u32 = u32::MAX;

impl Record for Offer {
    const SIZE: usize = 4;

    fn write(&self, to: &mut [u8]) {
        to.copy_from_slice(&self.0.map_or(NONE, |place| place.0).to_le_bytes());
    }

    fn read(from: &[u8]) -> Offer {
        let place = u32::from_le_bytes(from.try_into().expect("records have their size"));
        Offer((place != NONE).then_some(Place(place)))
    }
}

impl Process {
    /// The board of `comm`, if it has one. All members come to the same answer in the same call.
    #[inline]
    pub(super) fn board<'c>(&self, comm: &'c Comm) -> Result<Option<&'c ThreadLock<CommBoard>>> {
        match comm.board.get() {
            Some(board) => Ok(board.as_ref()),
            None if comm.calls(Form::Blocking) < CALLS_BEFORE => Ok(None),
            None => self.block_on(comm.handle, self.open_board(comm)),
        }
    }

    /// Gives `comm` a board, or settles that it has none. All members call it at once.
    ///
    /// # Errors
    /// Those of the messages.
    pub async fn open_board<'c>(&self, comm: &'c Comm) -> Result<Option<&'c ThreadLock<CommBoard>>> {
        if let Some(settled) = comm.board.get() {
            return Ok(settled.as_ref());
        }
        let size = comm.size();
        if comm.is_inter() || size < 2 || size as u64 > self.config.tuning().board_members_max {
            return Ok(comm.board.get_or_init(|| None).as_ref());
        }
        let own = self.places.as_ref().and_then(|places| places.reserve(size));
        let cx = Cx::with_tags(self, comm, Tags::next(comm, Operation::Board, Form::Blocking));
        let ranks: Vec<usize> = (0..size).collect();
        let offers = exchange::all(&cx, Members { ranks: &ranks, me: comm.rank }, Offer(own)).await;
        let offers: Option<Vec<Place>> = offers.as_deref().ok().and_then(|offers| offers.iter().map(|offer| offer.0).collect());
        let opened = offers.and_then(|offers| self.take_board(comm, &offers));
        if opened.is_none()
            && let (Some(places), Some(own)) = (&self.places, own)
        {
            places.cancel(own);
        }
        Ok(comm.board.get_or_init(|| opened.map(|board| ThreadLock::new(self.threading(), board))).as_ref())
    }

    /// `None` when the members are on several nodes, which all of them see.
    fn take_board(&self, comm: &Comm, offers: &[Place]) -> Option<CommBoard> {
        let places = self.places.as_ref()?;
        let members: Vec<fm::Peer> = comm.group.iter().collect();
        let opened = Arc::clone(places).open(&members, comm.rank, offers)?;
        Some(CommBoard { opened, bell: places.neighbours().bell(&members) })
    }
}
