//! Communicators from groups alone (MPI 5.0 sections 7.4.2 and 7.6.2).
//!
//! There is no parent to talk on, so the members talk on the engine's own communicator of all processes, which each process knows by the
//! same number before it has heard of any other. Its messages are told apart by the user's string tag: 32 bits of its hash are the
//! tag, and 64 bits of the hash of string and group travel in the records, so that a clash or a mistake is found out.

use super::Comm;
use super::create::{self, Draft, Heritage, Side};
use super::exchange::Members;
use crate::bail;
use crate::coll::{Cx, Operation};
use crate::errhandler::Errhandler;
use crate::error::{Class, Error, Result};
use crate::group::Group;
use crate::process::Process;
use std::sync::Arc;

/// FNV-1a, 64 bits: the same in every process, whatever it was built with.
struct Hash(u64);

impl Hash {
    fn of(bytes: impl IntoIterator<Item = u8>) -> Hash {
        Hash(0xcbf2_9ce4_8422_2325).and(bytes)
    }

    fn and(self, bytes: impl IntoIterator<Item = u8>) -> Hash {
        Hash(bytes.into_iter().fold(self.0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)))
    }

    fn tag(&self) -> i32 {
        (self.0 ^ self.0 >> 32) as i32
    }
}

/// The calls that use string tags, so that equal ones do not meet.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Purpose {
    Intra = 1,
    /// The local side of an intercommunicator …
    Local = 2,
    /// … and the leaders of both sides.
    Leaders = 3,
}

fn hash(purpose: Purpose, stringtag: &[u8]) -> Hash {
    Hash::of([purpose as u8]).and(stringtag.iter().copied())
}

/// The other side of an intercommunicator to come, as its local leader knows it.
#[derive(Clone, Copy)]
pub struct RemoteSide<'g> {
    pub group: &'g Group,
    pub leader: usize,
}

impl Process {
    /// A communicator of the processes in `group`, all of which call this with the same group and string; `None` for the empty group.
    ///
    /// # Errors
    /// `MPI_ERR_GROUP` when this process is not in the group or the members' groups differ, and `MPI_ERR_NO_MEM`.
    pub fn create_from_group(&self, group: &Group, stringtag: &[u8], errhandler: Errhandler) -> Result<Option<Arc<Comm>>> {
        if group.is_empty() {
            return Ok(None);
        }
        let made = self.block_on(self.bootstrap().handle, self.members_of(group, hash(Purpose::Intra, stringtag), errhandler))?;
        self.add_comm(made).map(Some)
    }

    /// An intercommunicator of two groups. All of `local` call this with the same leader; only the leader's `remote` counts.
    ///
    /// # Errors
    /// `MPI_ERR_COMM` when the groups overlap, and as [`create_from_group`](Self::create_from_group).
    pub fn create_intercomm_from_groups(
        &self,
        local: &Group,
        leader: usize,
        remote: Option<RemoteSide<'_>>,
        stringtag: &[u8],
        errhandler: Errhandler,
    ) -> Result<Arc<Comm>> {
        let bootstrap = self.bootstrap();
        let made = self.block_on(bootstrap.handle, async {
            let create::New(parts) = self.members_of(local, hash(Purpose::Local, stringtag), errhandler).await?;
            let among_us = Comm::new(parts);
            // Only for the time of this call.
            let _retired = Draft::of(self, &among_us);
            let bridge = remote.filter(|_| among_us.rank == leader).map(|remote| {
                let tag = hash(Purpose::Leaders, stringtag).tag();
                (Cx::partial(self, bootstrap, tag), remote.group.peer(remote.leader).index())
            });
            create::join(Side { local: Cx::begin(self, &among_us, Operation::IntercommCreate), leader, bridge }).await
        })?;
        self.add_comm(made)
    }

    /// Brings the members of `group` together.
    async fn members_of(&self, group: &Group, hash: Hash, errhandler: Errhandler) -> Result<create::New> {
        let Some(me) = group.rank_of(self.me()) else {
            bail!(GROUP, "this process, {} of the job, is not in the group of {} processes", self.me().0, group.size());
        };
        // Ranks on the bootstrap communicator are process numbers.
        let ranks: Vec<usize> = group.iter().map(fm::Peer::index).collect();
        let cx = Cx::partial(self, self.bootstrap(), hash.tag());
        let word = hash.and(group.iter().flat_map(|process| process.0.to_le_bytes()));
        let heritage = Heritage::of_group(group, errhandler);
        create::agreed(&cx, Members { ranks: &ranks, me }, heritage, word.0).await.map_err(|error| match error.class {
            // Groups of different sizes exchange different numbers of records.
            Class::TRUNCATE => Error::new(Class::GROUP, "the members of the group called with groups of different sizes"),
            _ => error,
        })
    }
}
