//! Performance variables (MPI 5.0 section 15.3.7): the table of them, and what they read.

use super::category::Category;
use super::enums::{self, Enumeration};
use super::{NO_OBJECT, Refusal, Result, TO_COMM, Type, Verbosity, at, index_of, name_of, put, tell, tell_text};
use crate::instance::Instance;
use crate::types::{MPI_Comm, MPI_Datatype, MPI_T_enum};
use mpi_fm::adi::envelope::HANDLERS;
use mpi_fm::tally::{Depth, Depths, Totals};
use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

/// A performance variable.
pub struct Variable {
    name: &'static str,
    text: &'static str,
    gauge: Gauge,
    verbosity: Verbosity,
    pub category: Category,
}

/// Where the values come from.
#[derive(Clone, Copy)]
pub enum Gauge {
    /// Messages of a kind.
    Messages(fn(&Totals) -> u64),
    /// Bytes of a kind.
    Bytes(fn(&Totals) -> u64),
    /// Messages of Fast Messages by handler, if they are counted.
    Fm(fn(&fm::Counts) -> &[u64; 256]),
    /// Length of a communicator's queue now.
    Length(fn(&Depths) -> &Depth),
    /// The greatest length of a communicator's queue.
    Peak(fn(&Depths) -> &Depth),
    /// How far the World Model has come.
    WorldModel,
}

/// Classes of variables: the constants of the ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Class {
    State = 1,
    Level = 2,
    HighWatermark = 5,
    Counter = 7,
    Aggregate = 8,
}

const fn traffic(name: &'static str, text: &'static str, gauge: Gauge) -> Variable {
    Variable { name, text, gauge, verbosity: Verbosity::UserBasic, category: Category::PointToPoint }
}

const fn queue(name: &'static str, text: &'static str, gauge: Gauge) -> Variable {
    Variable { name, text, gauge, verbosity: Verbosity::TunerBasic, category: Category::PointToPoint }
}

const fn handlers(name: &'static str, text: &'static str, gauge: Gauge) -> Variable {
    Variable { name, text, gauge, verbosity: Verbosity::DeveloperBasic, category: Category::FastMessages }
}

pub static ALL: [Variable; 17] = [
    traffic("hpvm_eager_messages_sent", "Messages that were sent with their envelope", Gauge::Messages(|t| t.eager_sent.messages)),
    traffic("hpvm_eager_bytes_sent", "Bytes of messages that were sent with their envelope", Gauge::Bytes(|t| t.eager_sent.bytes)),
    traffic(
        "hpvm_eager_messages_received",
        "Messages that came with their envelope and were matched, or can no more be",
        Gauge::Messages(|t| t.eager_received.messages),
    ),
    traffic(
        "hpvm_eager_bytes_received",
        "Bytes of messages that came with their envelope and were matched, or can no more be",
        Gauge::Bytes(|t| t.eager_received.bytes),
    ),
    traffic(
        "hpvm_rendezvous_messages_sent",
        "Messages that were announced, their body to follow once the receive is there",
        Gauge::Messages(|t| t.rendezvous_sent.messages),
    ),
    traffic("hpvm_rendezvous_bytes_sent", "Bytes of messages that were announced", Gauge::Bytes(|t| t.rendezvous_sent.bytes)),
    traffic(
        "hpvm_rendezvous_messages_received",
        "Announced messages that were matched",
        Gauge::Messages(|t| t.rendezvous_received.messages),
    ),
    traffic(
        "hpvm_rendezvous_bytes_received",
        "Bytes of announced messages that were matched and asked for",
        Gauge::Bytes(|t| t.rendezvous_received.bytes),
    ),
    traffic("hpvm_self_messages", "Messages of the process to itself", Gauge::Messages(|t| t.own.messages)),
    traffic("hpvm_self_bytes", "Bytes of messages of the process to itself", Gauge::Bytes(|t| t.own.bytes)),
    queue(
        "hpvm_unexpected_queue_length",
        "Point-to-point messages of the communicator that wait for a receive",
        Gauge::Length(|d| &d.unexpected),
    ),
    queue(
        "hpvm_unexpected_queue_length_max",
        "Most point-to-point messages of the communicator that have waited for a receive at once",
        Gauge::Peak(|d| &d.unexpected),
    ),
    queue(
        "hpvm_posted_queue_length",
        "Receives posted on the communicator that wait for a message",
        Gauge::Length(|d| &d.posted),
    ),
    queue(
        "hpvm_posted_queue_length_max",
        "Most receives posted on the communicator that have waited for a message at once",
        Gauge::Peak(|d| &d.posted),
    ),
    handlers(
        "hpvm_fm_messages_sent",
        "Messages of Fast Messages that were sent, in the kinds that HPVM_TRACE=fm tells and only if it is set",
        Gauge::Fm(|counts| &counts.sent),
    ),
    handlers(
        "hpvm_fm_messages_received",
        "Messages of Fast Messages that were received, in the kinds that HPVM_TRACE=fm tells and only if it is set",
        Gauge::Fm(|counts| &counts.received),
    ),
    Variable {
        name: "hpvm_world_model",
        text: "Whether MPI_Init and MPI_Finalize have been called",
        gauge: Gauge::WorldModel,
        verbosity: Verbosity::UserBasic,
        category: Category::Hpvm,
    },
];

impl Variable {
    pub fn gauge(&self) -> Gauge {
        self.gauge
    }
}

impl Gauge {
    pub fn class(self) -> Class {
        match self {
            Gauge::Messages(_) | Gauge::Fm(_) => Class::Counter,
            Gauge::Bytes(_) => Class::Aggregate,
            Gauge::Length(_) => Class::Level,
            Gauge::Peak(_) => Class::HighWatermark,
            Gauge::WorldModel => Class::State,
        }
    }

    pub(super) fn ty(self) -> Type {
        match self {
            Gauge::WorldModel => Type::Int,
            _ => Type::UnsignedLongLong,
        }
    }

    fn enumeration(self) -> Option<&'static Enumeration> {
        matches!(self, Gauge::WorldModel).then_some(&enums::WORLD_MODEL)
    }

    /// Values that a handle reads at once.
    pub fn count(self) -> usize {
        match self {
            Gauge::Fm(_) => HANDLERS.len(),
            _ => 1,
        }
    }

    fn of_comm(self) -> bool {
        matches!(self, Gauge::Length(_) | Gauge::Peak(_))
    }

    /// What is as it is: it always runs, and cannot be set.
    pub fn is_continuous(self) -> bool {
        matches!(self, Gauge::Length(_) | Gauge::WorldModel)
    }

    /// Whether it can be read and reset without missing anything between.
    pub fn is_atomic(self) -> bool {
        matches!(self, Gauge::Messages(_) | Gauge::Bytes(_) | Gauge::Fm(_))
    }

    /// The queues of the communicator at `object`, for variables of a communicator.
    ///
    /// # Safety
    /// `object` is null or leads to a communicator's handle, if the variable belongs to one.
    pub unsafe fn bind(self, instance: &Instance, object: *const c_void) -> Result<Option<Arc<Depths>>> {
        if !self.of_comm() {
            return Ok(None);
        }
        let Some(rank) = instance.rank().filter(|_| !object.is_null()) else { return Err(Refusal::INVALID) };
        // SAFETY: not null, and the caller's.
        let comm = unsafe { object.cast::<MPI_Comm>().read() };
        let comm = rank.comm(comm).map_err(|_| Refusal::INVALID)?;
        Ok(Some(Arc::clone(&comm.queues.depths)))
    }

    /// The values now, since the process began. Nothing has been sent before it was in MPI.
    pub fn read(self, instance: &Instance, depths: Option<&Depths>) -> Vec<u64> {
        let Some(rank) = instance.latest_rank() else { return vec![0; self.count()] };
        match (self, depths) {
            (Gauge::Messages(pick) | Gauge::Bytes(pick), _) => vec![pick(&rank.process.totals())],
            (Gauge::Fm(pick), _) => match rank.process.fm.counts() {
                Some(counts) => HANDLERS.iter().map(|(handler, _)| pick(&counts)[usize::from(handler.0)]).collect(),
                None => vec![0; self.count()],
            },
            (Gauge::Length(pick), Some(depths)) => vec![pick(depths).level()],
            (Gauge::Peak(pick), Some(depths)) => vec![pick(depths).most()],
            (Gauge::Length(_) | Gauge::Peak(_), None) => vec![0],
            (Gauge::WorldModel, _) => vec![instance.phase() as u64],
        }
    }
}

pub unsafe fn get_num(instance: &Instance, num: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `init_thread`; so in all of this file.
    unsafe { put(num, ALL.len() as c_int) }
}

pub unsafe fn get_index(instance: &Instance, name: *const c_char, var_class: c_int, index: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `get_num`.
    unsafe {
        let name = name_of(name)?;
        let is_it = |variable: &Variable| variable.name.as_bytes() == name && variable.gauge.class() as c_int == var_class;
        put(index, index_of(&ALL, is_it)?)
    }
}

pub unsafe fn get_info(
    instance: &Instance,
    index: c_int,
    name: *mut c_char,
    name_len: *mut c_int,
    verbosity: *mut c_int,
    var_class: *mut c_int,
    datatype: *mut MPI_Datatype,
    enumtype: *mut MPI_T_enum,
    desc: *mut c_char,
    desc_len: *mut c_int,
    bind: *mut c_int,
    readonly: *mut c_int,
    continuous: *mut c_int,
    atomic: *mut c_int,
) -> Result<()> {
    instance.tools.is_open()?;
    let variable = at(&ALL, index)?;
    let gauge = variable.gauge;
    // SAFETY: see `get_num`.
    unsafe {
        tell_text(name, name_len, variable.name);
        tell(verbosity, variable.verbosity as c_int);
        tell(var_class, gauge.class() as c_int);
        tell(datatype, gauge.ty().datatype());
        tell(enumtype, enums::handle(gauge.enumeration()));
        tell_text(desc, desc_len, variable.text);
        tell(bind, if gauge.of_comm() { TO_COMM } else { NO_OBJECT });
        tell(readonly, gauge.is_continuous().into());
        tell(continuous, gauge.is_continuous().into());
        tell(atomic, gauge.is_atomic().into());
    }
    Ok(())
}
