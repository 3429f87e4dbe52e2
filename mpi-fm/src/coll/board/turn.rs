//! One blocking call on a board, as its algorithm sees it.

use super::CommBoard;
use crate::coll::cx::{self, Tags};
use crate::coll::operation::{self, FAULT, Heard, Operation};
use crate::coll::scratch::Scratch;
use crate::coll::select::Tuning;
use crate::comm::Comm;
use crate::error::{Error, Result};
use crate::op::Op;
use crate::process::Process;
use crate::waiting::Waiting;
use crate::{Buf, Class, Datatype};
use fm::ThreadLock;
use fm::board::Label;
use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

/// A call under way. Like the algorithms over messages, those on boards [`note`](Turn::note) errors and go on, so that nobody waits in vain.
pub struct Turn<'a> {
    process: &'a Process,
    comm: &'a Comm,
    board: RefCell<fm::lock::Guard<'a, CommBoard>>,
    mark: u32,
    fault: OnceCell<Error>,
    /// Whether this call has shown something.
    begun: Cell<bool>,
    awaited: Cell<Awaited>,
    /// See [`Process::wait_until_or`].
    vain_rounds: Cell<u32>,
}

/// What the call waits for.
#[derive(Clone, Copy)]
enum Awaited {
    Nothing,
    Shown { from: usize, step: u32 },
    /// Room for a message of so many bytes.
    Room(usize),
}

/// What a member's message is to be like.
#[derive(Clone, Copy)]
pub struct Expected {
    /// Bytes of the whole that this step shows a piece of.
    pub total: u64,
    /// Bytes of the message in this step.
    pub len: usize,
}

impl<'a> Turn<'a> {
    /// The next call on `comm`, which has this board.
    pub fn new(process: &'a Process, comm: &'a Comm, board: &'a ThreadLock<CommBoard>, tags: Tags) -> Turn<'a> {
        Turn {
            process,
            comm,
            board: RefCell::new(board.lock()),
            mark: tags.all() as u32,
            fault: OnceCell::new(),
            begun: Cell::new(false),
            awaited: Cell::new(Awaited::Nothing),
            vain_rounds: Cell::new(0),
        }
    }

    #[inline]
    pub fn rank(&self) -> usize {
        self.comm.rank
    }

    #[inline]
    pub fn size(&self) -> usize {
        self.comm.size()
    }

    /// At which lengths the algorithms change.
    #[inline]
    pub fn tuning(&self) -> &'a Tuning {
        self.process.config.tuning()
    }

    pub fn scratch<'t>(&self, count: usize, ty: &'t Arc<Datatype>) -> Scratch<'t> {
        Scratch::new(&self.process.spare, count, ty)
    }

    /// The other members, beginning with the next one: not all begin with the same.
    pub fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let (rank, size) = (self.rank(), self.size());
        (1..size).map(move |step| if rank + step < size { rank + step } else { rank + step - size })
    }

    /// Longest piece of data in one step, in bytes, of which everybody gets all.
    pub fn piece(&self) -> usize {
        self.board.borrow().opened.longest().min(self.tuning().board_piece_max as usize)
    }

    /// The same for data that one member has and others wait for: pieces so short that they need not wait long for the first, and so long
    /// that a step is little beside them.
    pub fn stream(&self, total: u64) -> usize {
        let least = self.tuning().board_stream_min;
        if total <= least {
            return self.piece().min(least as usize);
        }
        let quarter = (total / 4).clamp(least, u64::MAX >> 1).next_multiple_of(64);
        self.piece().min(usize::try_from(quarter).unwrap_or(usize::MAX))
    }

    /// The same where a member shows a piece for each other one.
    pub fn share(&self) -> usize {
        // In whole cache lines: what the readers' copies begin with.
        (self.piece() / (self.size() - 1)).max(64) & !63
    }

    /// The call does not go on here: some members do not know the lengths, or the board is no place for such data.
    /// `total` bytes are what a member shows that does not decline, if all know that.
    pub fn decline(&self, total: u64) -> bool {
        // So that members in another call find out, or in one with other lengths.
        let step = self.attend(total);
        self.pass(step, 0);
        false
    }

    /// Copies this process's own part, as a message to itself would.
    pub fn copy(&self, from: &Buf<'_>, to: &Buf<'_>) {
        self.note(cx::check_own(self.comm, self.mark as i32, from, to));
        from.copy_to(to);
    }

    /// Shows a message of `len` bytes, which `fill` writes, as a piece of `total`. Returns the step.
    #[inline]
    pub fn show(&self, total: u64, len: usize, fill: impl FnOnce(&mut [u8])) -> u32 {
        if !self.board.borrow_mut().opened.has_room(len) {
            self.until(Awaited::Room(len));
        }
        let fault = if self.fault.get().is_some() { FAULT as u32 } else { 0 };
        let board = &mut **self.board.borrow_mut();
        let step = board.opened.show(Label { mark: self.mark | fault, total }, len, fill);
        board.bell.ring();
        self.begun.set(true);
        step
    }

    /// Takes part in a step without data. The call's first one shows that it takes place.
    #[inline]
    pub fn attend(&self, total: u64) -> u32 {
        if self.begun.get() {
            return self.board.borrow_mut().opened.skip();
        }
        self.show(total, 0, |_| ())
    }

    /// Waits for the message of `from` in `step`, and reads it if it is as expected.
    #[inline]
    pub fn read<R>(&self, from: usize, step: u32, expected: Expected, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
        if !self.board.borrow().opened.is_shown(from, step) {
            self.until(Awaited::Shown { from, step });
        }
        let board = &self.board.borrow().opened;
        let label = board.look(from, step).expect("it was waited for");
        let right = label == Label { mark: self.mark, total: expected.total };
        if right || self.is_readable(from, label, expected.total) { board.read(from, step, expected.len, take) } else { None }
    }

    /// Notes what is wrong with a member's message. Returns whether it can be read all the same.
    #[cold]
    fn is_readable(&self, from: usize, label: Label, total: u64) -> bool {
        self.note(Err::<(), _>(self.difference(from, label, total)));
        label.mark & !(FAULT as u32) == self.mark && label.total == total
    }

    /// This member has read what it wants of the steps up to `step`, in which `len` is the longest message.
    pub fn pass(&self, step: u32, len: usize) {
        let board = &mut **self.board.borrow_mut();
        if board.opened.pass(step, len) {
            board.bell.ring();
        }
    }

    /// `inout = bytes op inout`, item by item.
    pub fn apply(&self, op: &Op, bytes: &[u8], inout: &Buf<'_>) {
        debug_assert_eq!(bytes.len() as u64, inout.bytes());
        // SAFETY: the buffer vouches for its memory, which is not on the board; the bytes are as many, and aligned as the board aligns them.
        self.note(unsafe { op.apply(bytes.as_ptr(), inout.addr(), inout.count(), inout.ty()) });
    }

    /// Keeps the call's first error, for its [`outcome`](Self::outcome).
    pub fn note<T>(&self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.fault.set(error)).ok()
    }

    /// How the call has gone so far.
    ///
    /// # Errors
    /// The first that was noted.
    pub fn outcome(&self) -> Result<()> {
        self.fault.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// What the call waits for, for reports.
    fn waiting(&self) -> Waiting {
        let rank = match self.awaited.get() {
            Awaited::Nothing => None,
            Awaited::Shown { from, .. } => Some(from),
            Awaited::Room(_) => Some(self.board.borrow().opened.hindmost()),
        };
        Waiting::collective(self.comm, rank, self.mark as i32)
    }

    /// Waits, like all waits of the call in the way in which the last one ended.
    #[inline(never)]
    fn until(&self, awaited: Awaited) {
        self.awaited.set(awaited);
        let there = || self.is_there();
        self.process.wait_until_or(|| self.waiting(), there, &there, &self.vain_rounds);
        self.awaited.set(Awaited::Nothing);
    }

    /// Whether what the call waits for is there.
    #[inline]
    fn is_there(&self) -> bool {
        match self.awaited.get() {
            Awaited::Nothing => true,
            Awaited::Shown { from, step } => self.board.borrow().opened.is_shown(from, step),
            Awaited::Room(len) => self.board.borrow_mut().opened.has_room(len),
        }
    }

    /// Why a member's message is not what this one expects.
    #[cold]
    fn difference(&self, from: usize, label: Label, total: u64) -> Error {
        let (comm, ours) = (self.comm.describe(), self.mark as i32);
        let heard = Heard { source: from as u32, tag: label.mark as i32, bytes: label.total };
        operation::explain(&comm, heard, ours, total).unwrap_or_else(|| {
            let call = Operation::name_of_tag(ours);
            let text = format!("in {call} on {comm}, rank {from} is in another such call: its calls before were longer or shorter");
            Error::new(Class::OTHER, text)
        })
    }
}
