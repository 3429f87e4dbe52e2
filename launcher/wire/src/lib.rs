//! The start-up protocol: what `hpvmrun` tells a rank, and what a rank tells `hpvmrun`.
//!
//! Both sides use this crate, so there is one definition of each name, number and byte:
//!
//! * [`names`]: the environment variables a rank is started with, and the protocol's version;
//! * [`startup`]: those variables parsed into a [`StartUp`] (library) or produced from one (launcher);
//! * [`descriptor`]: the inherited descriptors, how a rank makes sure that a number still means
//!   what the launcher meant by it, and what it does when a wrapper program has closed it;
//! * [`devices`]: what is known of each device on both sides;
//! * [`network`]: the file that says where the ranks of other nodes are, and the key that opens their doors;
//! * [`board`]: the shared memory that holds one [`status`] line per rank, through which the launcher
//!   sees which process is the MPI process, what it is doing, what it is [`waiting`] for, and how it ended;
//! * [`event`]: the bell a rank rings after it wrote something there that cannot wait;
//! * [`calls`]: the names of MPI functions, for the index in a status line;
//! * [`foreign`]: has some other launcher started this process?
//! * [`tuning`]: the thresholds that a table may set for a job;
//! * [`pmi`]: what launchers of MPICH's family say instead, as lines of text.
//!
//! A rank goes through it in this order: [`StartUp::from_environment`], [`Descriptor::open`] for the
//! status board, [`StatusLine::claim`], the other descriptors, [`StatusLine::initialised`] at the end
//! of `MPI_Init`. Where there is no `HPVM_RANK` it asks [`foreign::detect`] before it goes on as a
//! singleton.

pub mod board;
pub mod calls;
pub mod descriptor;
pub mod devices;
pub mod event;
pub mod foreign;
pub mod names;
pub mod network;
pub mod pmi;
pub mod startup;
pub mod status;
pub mod tuning;
pub mod waiting;

pub use board::Board;
pub use descriptor::Descriptor;
pub use event::Bell;
pub use network::Network;
pub use startup::{Net, Place, StartUp};
pub use status::{Claim, State, StatusLine};
