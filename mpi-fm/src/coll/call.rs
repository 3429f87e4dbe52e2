//! Collective calls: what they have in common, and the three ways to make them.

use super::board::Turn;
use super::cx::{Cx, Tags};
use super::operation::{Form, Operation};
use super::root::Root;
use crate::bail;
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::Result;
use crate::handle::Handle;
use crate::memory::Memory;
use crate::process::Process;
use crate::request::{self, Persistent, State};
use std::sync::Arc;

/// The arguments of a collective call, checked and carried out the same way however the call is made.
pub trait Collective: Send + Sync + Sized {
    /// The same call with objects of its own.
    type Own: Collective + 'static;

    fn own(self) -> Self::Own;

    fn operation(&self) -> Operation;

    fn root(&self) -> Option<Root> {
        None
    }

    /// Refuses arguments that cannot be right together. What only the members together could see is found out by their messages.
    ///
    /// # Errors
    /// Of many classes.
    fn check(&self, comm: &Comm) -> Result<()> {
        let _ = comm;
        Ok(())
    }

    /// This member's part of the call.
    fn run(&self, cx: &Cx<'_>) -> impl Future<Output = Result<()>> + Send;

    /// The same on a board: how a blocking call begins on a communicator that has one. Errors are noted. Returns whether that was all;
    /// if not, the call [runs](Self::run) by messages. All members must come to the same answer.
    fn on_board(&self, turn: &Turn<'_>) -> bool {
        turn.decline(0)
    }

    /// How the next such call on `comm` marks its messages.
    fn tags(&self, comm: &Comm, form: Form) -> Tags {
        let tags = Tags::next(comm, self.operation(), form);
        match self.root().and_then(|root| root.rank(comm)) {
            Some(root) => tags.with_root(root),
            None => tags,
        }
    }
}

/// Refuses a member's own part that is to be received where it is sent from.
///
/// # Errors
/// `MPI_ERR_BUFFER`
pub fn apart(send: Option<Buf<'_>>, recv: Option<Buf<'_>>) -> Result<()> {
    match (send, recv) {
        (Some(send), Some(recv)) if send.begins_with(&recv) => {
            bail!(BUFFER, "sendbuf and recvbuf overlap, which they must not: use MPI_IN_PLACE")
        }
        _ => Ok(()),
    }
}

impl Process {
    /// Makes a collective call and returns when this member's part is done.
    ///
    /// # Errors
    /// Those of the arguments and of the messages.
    #[inline]
    pub fn collective(&self, comm: &Comm, call: impl Collective) -> Result<()> {
        call.check(comm)?;
        let board = self.board(comm)?;
        let tags = call.tags(comm, Form::Blocking);
        if let Some(board) = board {
            let turn = Turn::new(self, comm, board, tags);
            if call.on_board(&turn) {
                return turn.outcome();
            }
        }
        let cx = Cx::with_tags(self, comm, tags);
        self.block_on(comm.handle, call.run(&cx))
    }

    /// Starts a collective call (`MPI_I…`).
    ///
    /// # Errors
    /// Those of the arguments.
    pub fn icollective(self: &Arc<Self>, comm: &Arc<Comm>, call: impl Collective) -> Result<Handle> {
        call.check(comm)?;
        let tags = call.tags(comm, Form::Nonblocking);
        self.start_round(Arc::clone(comm), Arc::new(call.own()), tags)
    }

    /// Makes a persistent request for a collective call (`MPI_…_init`), inactive at first.
    ///
    /// # Errors
    /// Those of the arguments.
    pub fn persistent_collective(self: &Arc<Self>, comm: &Arc<Comm>, call: impl Collective) -> Result<Handle> {
        call.check(comm)?;
        let tags = call.tags(comm, Form::Persistent);
        let (call, handle) = (Arc::new(call.own()), comm.handle);
        let (process, comm) = (Arc::downgrade(self), Arc::clone(comm));
        let start = move |_: &Process| {
            let process = process.upgrade().expect("the request lives in the process");
            process.start_round(Arc::clone(&comm), Arc::clone(&call), tags)
        };
        let persistent = Persistent { start: Box::new(start), active: request::NULL };
        self.requests.start(State::Persistent(Box::new(persistent)), Memory::EMPTY, handle)
    }

    fn start_round<C: Collective + 'static>(self: &Arc<Self>, comm: Arc<Comm>, call: Arc<C>, tags: Tags) -> Result<Handle> {
        let process = Arc::clone(self);
        let handle = comm.handle;
        self.start_collective(handle, async move {
            let cx = Cx::with_tags(&process, &comm, tags);
            call.run(&cx).await
        })
    }
}
