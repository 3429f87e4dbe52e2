//! The calls that make and free communicators, blocking or not, on top of [`create`](super::create).

use super::create::{self, New, Side};
use super::Comm;
use crate::bail;
use crate::coll::{Cx, Form, Operation, Tags, barrier};
use crate::constants::UNDEFINED;
use crate::error::Result;
use crate::group::Group;
use crate::handle::Handle;
use crate::objects::Attached;
use crate::process::Process;
use crate::request::Request;
use crate::request::complete::Standing;
use crate::waiting::Waiting;
use std::sync::Arc;

impl Process {
    /// A communicator with the same groups and a space of messages of its own. Attributes and hints are the caller's to copy.
    ///
    /// # Errors
    /// Those of the messages, and `MPI_ERR_NO_MEM`.
    pub fn dup_comm(&self, comm: &Comm) -> Result<Arc<Comm>> {
        let new = self.block_on(comm.handle, duplicate(Cx::begin(self, comm, Operation::CommDup)))?;
        let new = self.add_comm(new)?;
        new.set_topology_of(comm);
        Ok(new)
    }

    /// Starts [`dup_comm`](Self::dup_comm). Returns the new communicator's handle, which names it once the request is complete, and the
    /// request. `attached` makes what it will carry, before anything is sent.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`, and those of `attached`.
    pub fn idup_comm(
        self: &Arc<Self>,
        comm: &Arc<Comm>,
        attached: impl FnOnce(Handle) -> Result<Attached>,
    ) -> Result<(Handle, Handle)> {
        let handle = self.comms.reserve()?;
        let attached = Arc::new(attached(handle).inspect_err(|_| self.comms.abandon(handle))?);
        self.comms_to_come.lock().insert(handle, Arc::clone(&attached));
        let (process, old) = (Arc::clone(self), Arc::clone(comm));
        // The call counts among the communicator's collectives when it is made, not when it is first polled.
        let begun = Cx::with_tags(self, comm, Tags::next(comm, Operation::CommDup, Form::Nonblocking)).detach();
        let request = self.start_collective(comm.handle, async move {
            let new = duplicate(begun.attach(&process, &old)).await;
            let settled = new.map(|new| process.settle_comm(handle, new.with(attached)).set_topology_of(&old));
            process.comms_to_come.lock().remove(&handle);
            settled
        })?;
        Ok((handle, request))
    }

    /// What a communicator will carry that [`idup_comm`](Self::idup_comm) is still making. A program should not use such a handle yet
    /// (MPI 5.0 section 7.4.2), but some give every new one its error handler at once, mpi4py among them.
    pub fn attached_to_come(&self, handle: Handle) -> Option<Arc<Attached>> {
        self.comms_to_come.lock().get(&handle).cloned()
    }

    /// Communicators of those with the same colour, in the order of their keys; `None` for a negative colour (`MPI_UNDEFINED`).
    ///
    /// # Errors
    /// `MPI_ERR_ARG` for another negative colour, and as [`dup_comm`](Self::dup_comm).
    pub fn split_comm(&self, comm: &Comm, colour: i32, key: i32) -> Result<Option<Arc<Comm>>> {
        let colour = match colour {
            UNDEFINED => None,
            0.. => Some(colour as u64),
            _ => bail!(ARG, "the colour is {colour}: colours are not negative, but for MPI_UNDEFINED"),
        };
        self.split_comm_by(comm, Operation::CommSplit, colour, key.into())
    }

    /// As [`split_comm`](Self::split_comm), by any 64-bit colour.
    ///
    /// # Errors
    /// As [`dup_comm`](Self::dup_comm).
    pub fn split_comm_by(&self, comm: &Comm, call: Operation, colour: Option<u64>, key: i64) -> Result<Option<Arc<Comm>>> {
        let new = self.block_on(comm.handle, create::split(Cx::begin(self, comm, call), colour, key))?;
        new.map(|new| self.add_comm(new)).transpose()
    }

    /// A communicator of the processes in `group`, a subset of the local group; `None` for the others. All of `comm` call it, with
    /// the same group or with disjoint ones (MPI 5.0 section 7.4.2).
    ///
    /// # Errors
    /// `MPI_ERR_GROUP` when the group is not a subset, and as [`dup_comm`](Self::dup_comm).
    pub fn create_comm(&self, comm: &Comm, group: &Group) -> Result<Option<Arc<Comm>>> {
        if let Some(outside) = group.iter().find(|process| !comm.group.contains(*process)) {
            bail!(GROUP, "process {} of the group is not in {}", outside.0, comm.describe());
        }
        // Disjoint groups have different leaders. The sides of an intercommunicator have no process in common, but their groups belong
        // together.
        let place = group.rank_of(self.me());
        let colour = place.map(|_| if comm.is_inter() { 0 } else { u64::from(group.peer(0).0) });
        self.split_comm_by(comm, Operation::CommCreate, colour, place.unwrap_or(0) as i64)
    }

    /// A communicator of the processes in `group`; only they call it. Calls under way at once need different tags.
    ///
    /// # Errors
    /// `MPI_ERR_GROUP` when the group is not a subset, and as [`dup_comm`](Self::dup_comm).
    pub fn create_comm_group(&self, comm: &Comm, group: &Group, tag: i32) -> Result<Option<Arc<Comm>>> {
        let Some(me) = group.rank_of(self.me()) else { return Ok(None) };
        let mut ranks = Vec::with_capacity(group.size());
        for process in group.iter() {
            match comm.group.rank_of(process) {
                Some(rank) => ranks.push(rank),
                None => bail!(GROUP, "process {} of the group is not in {}", process.0, comm.describe()),
            }
        }
        let new = self.block_on(comm.handle, create::partial(Cx::partial(self, comm, tag), &ranks, me))?;
        self.add_comm(new).map(Some)
    }

    /// An intercommunicator between the group of `local` and that of the process which is rank `remote_leader` of `bridge`. Only the
    /// leader's `bridge` counts.
    ///
    /// # Errors
    /// `MPI_ERR_COMM` when the groups overlap, and as [`dup_comm`](Self::dup_comm).
    pub fn create_intercomm(
        &self,
        local: &Comm,
        leader: usize,
        bridge: Option<(&Comm, usize)>,
        tag: i32,
    ) -> Result<Arc<Comm>> {
        let side = Side {
            local: Cx::begin(self, local, Operation::IntercommCreate),
            leader,
            bridge: bridge.map(|(comm, rank)| (Cx::partial(self, comm, tag), rank)),
        };
        let new = self.block_on(local.handle, create::join(side))?;
        self.add_comm(new)
    }

    /// # Errors
    /// `MPI_ERR_COMM` when `comm` is not an intercommunicator, and as [`dup_comm`](Self::dup_comm).
    pub fn merge_intercomm(&self, comm: &Comm, high: bool) -> Result<Arc<Comm>> {
        let new = self.block_on(comm.handle, create::merge(Cx::begin(self, comm, Operation::IntercommMerge), high))?;
        self.add_comm(new)
    }

    pub(super) fn add_comm(&self, new: New) -> Result<Arc<Comm>> {
        let handle = self.comms.reserve()?;
        Ok(self.settle_comm(handle, new))
    }

    /// Returns when all members have called it and nothing of this process's is under way on the communicator.
    ///
    /// # Errors
    /// Those of the messages.
    pub fn settle_pending(&self, comm: &Comm) -> Result<()> {
        // A persistent request between its rounds is not pending.
        let is_pending = |handle| matches!(self.standing(handle), Ok(Standing::Active));
        let of_comm = |request: &Request| request.inner.lock().comm == comm.handle;
        let first = || self.requests.iter().find(|(handle, request)| of_comm(request) && is_pending(*handle)).map(|(handle, _)| handle);
        self.wait_until(|| first().map_or(Waiting::on(comm), |first| self.waits_for_request(first)), || first().is_none());
        let cx = Cx::begin(self, comm, Operation::CommFree);
        let members = cx.local().unwrap_or(cx);
        self.block_on(comm.handle, barrier::dissemination(&members))
    }

    /// Frees the handle. Operations under way complete as if it had not been freed (MPI 5.0 section 7.4.3).
    ///
    /// # Errors
    /// `MPI_ERR_COMM` when it names no communicator, or a predefined one.
    pub fn free_comm(&self, handle: Handle) -> Result<()> {
        let comm = self.comm(handle)?;
        if matches!(handle, super::WORLD | super::SELF) {
            bail!(COMM, "{} is predefined and cannot be freed", comm.describe());
        }
        let comm = self.comms.remove(handle)?;
        if let Some(remote) = &comm.remote {
            self.retire_queues(Arc::clone(&remote.local.queues));
        }
        self.retire_queues(Arc::clone(&comm.queues));
        Ok(())
    }
}

/// The members of `cx`'s communicator once more, with new queues.
async fn duplicate(cx: Cx<'_>) -> Result<New> {
    let key = cx.rank() as i64;
    create::split(cx, Some(0), key).await.map(|new| new.expect("a colour was given"))
}
