//! The C interface: the MPI standard ABI 1.0 (MPI 5.0 chapter 20).
//!
//! From the outside in:
//!
//! 1. `include/mpi.h` and its parts, a chapter each: what a C program sees. Hand-written; a test compares it with the table.
//! 2. [`table`]: one row per function, which becomes the symbols `PMPI_X` and `MPI_X`.
//! 3. [`enter`](mod@enter): what happens around every function: finding the rank, noting the call; [`failure`]: raising errors.
//! 4. [`instance`]: the one static, and what survives initialisation and finalisation; [`rank`]: what lives between them.
//! 5. [`start`]: putting a rank together: what the launcher said ([`line`], [`tuning`]; of other MPIs' launchers, [`mod@foreign`]), the machine ([`host`]), devices
//!    ([`reach`]), engine.
//! 6. [`types`], [`args`] and [`count`]: the C types, what C passes, and one body for `MPI_X` and `MPI_X_c`.
//! 7. The bodies, one module per chapter of the table: they check and convert what C passes, and call the engine, crate `mpi-fm`.
//!
//! Bodies are `unsafe`: their callers are C programs, which keep the promises that the standard asks of them. Handles are looked
//! up, null pointers refused; no body follows a pointer otherwise.

// What the bodies ask of their callers stands above, once for all; their parameters are the standard's.
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

pub mod abi;
pub mod alone;
pub mod args;
pub mod attr;
pub mod coll;
pub mod buffer;
pub mod comm;
pub mod convert;
pub mod count;
pub mod datatype;
pub mod enter;
pub mod env;
pub mod error;
pub mod failure;
pub mod foreign;
pub mod grequest;
pub mod group;
pub mod host;
pub mod info;
pub mod init;
pub mod instance;
pub mod leaks;
pub mod line;
pub mod naming;
pub mod op;
pub mod part;
pub mod p2p;
pub mod rank;
pub mod reach;
pub mod request;
pub mod session;
pub mod start;
pub mod status;
pub mod table;
pub mod tools;
pub mod topo;
pub mod trace;
pub mod tuning;
pub mod types;
