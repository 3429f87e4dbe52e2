//! Sessions: a program's parts use MPI side by side, each from its own session (MPI 5.0 section 11.3).
//!
//! A process is in MPI while the World Model or any session is; one [`Process`](crate::Process) serves them all. What a session has of its
//! own is here. Groups remember the session that they were derived from, communicators know it through their group.

use crate::bsend::BufferSlot;
use crate::errhandler::Errhandler;
use crate::error::Result;
use crate::group::Group;
use crate::info::Info;
use crate::objects::Attached;
use crate::process::Process;
use std::sync::Arc;

/// One session.
pub struct Session {
    pub attached: Attached,
    /// Buffer for buffered sends on the session's communicators that have none of their own (MPI 5.0 section 3.6.3).
    pub buffer: BufferSlot,
}

impl Session {
    /// `info` tells what was asked for and is provided (`MPI_Session_get_info`).
    pub fn new(errhandler: Errhandler, info: Info) -> Session {
        let attached = Attached::new("", errhandler);
        attached.set_info(Arc::new(info));
        Session { attached, buffer: BufferSlot::default() }
    }
}

/// A process set (MPI 5.0 section 11.3.2). There are those that every session has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessSet {
    World,
    Own,
}

impl ProcessSet {
    /// In the order in which `MPI_Session_get_nth_pset` counts them.
    pub const ALL: [ProcessSet; 2] = [ProcessSet::World, ProcessSet::Own];

    pub const fn name(self) -> &'static str {
        match self {
            ProcessSet::World => "mpi://WORLD",
            ProcessSet::Own => "mpi://SELF",
        }
    }

    /// The set with this name: a URI, whose scheme and host may be in any case (RFC 3986 section 6.2.2.1).
    pub fn named(name: &[u8]) -> Option<ProcessSet> {
        ProcessSet::ALL.into_iter().find(|set| set.name().as_bytes().eq_ignore_ascii_case(name))
    }

    pub fn size(self, process: &Process) -> usize {
        match self {
            ProcessSet::World => process.fm.peers() as usize,
            ProcessSet::Own => 1,
        }
    }

    pub fn group(self, process: &Process, session: &Arc<Session>) -> Arc<Group> {
        let first = if self == ProcessSet::World { 0 } else { process.me().0 };
        Group::within(Some(Arc::clone(session)), (first..).take(self.size(process)).map(fm::Peer))
    }

    /// What `MPI_Session_get_pset_info` tells.
    ///
    /// # Errors
    /// Those of info objects.
    pub fn info(self, process: &Process) -> Result<Info> {
        let info = Info::new();
        info.set(b"mpi_size", self.size(process).to_string().as_bytes())?;
        Ok(info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_process_sets() {
        assert_eq!(ProcessSet::named(b"mpi://WORLD"), Some(ProcessSet::World));
        assert_eq!(ProcessSet::named(b"mpi://self"), Some(ProcessSet::Own));
        assert_eq!(ProcessSet::named(b"mpi://SELF/"), None);
        assert_eq!(ProcessSet::named(b""), None);
    }

    #[test]
    fn groups_remember_their_session() {
        let session = Arc::new(Session::new(Errhandler::RETURN, Info::new()));
        let group = Group::within(Some(Arc::clone(&session)), [4, 2, 7].map(fm::Peer));
        let world = Group::world(8);
        let derived = [
            group.incl(&[2]).unwrap(),
            group.excl(&[0]).unwrap(),
            group.range_incl(&[[0, 2, 2]]).unwrap(),
            group.intersection(&world),
            group.union(&world),
            group.difference(&Group::single(fm::Peer(2))),
        ];
        for group in &derived {
            assert!(group.session().is_some_and(|its| Arc::ptr_eq(its, &session)), "{group:?}");
        }
        assert!(world.incl(&[1]).unwrap().session().is_none());
        assert_eq!(group.compare(&Group::of([4, 2, 7].map(fm::Peer))), crate::Comparison::Ident);
    }
}
