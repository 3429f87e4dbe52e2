//! The C interface: the MPI standard ABI 1.0 (MPI 5.0 chapter 20).
//!
//! From the outside in:
//!
//! 1. `include/mpi.h`: what a C program sees. Hand-written; a test compares it with the table.
//! 2. [`table`]: one row per function, which becomes the symbols `PMPI_X` and `MPI_X`.
//! 3. [`enter`](mod@enter): what happens around every function: finding the rank, noting the call, raising errors.
//! 4. [`instance`]: the one static, and what survives initialisation and finalisation; [`rank`]: what lives between them.
//! 5. [`types`] and [`count`]: the C types, and one body for `MPI_X` and `MPI_X_c`.
//! 6. The bodies, one module per chapter: they check and convert what C passes, and call the engine, crate `mpi-fm`.

pub mod convert;
pub mod count;
pub mod enter;
pub mod env;
pub mod instance;
pub mod rank;
pub mod table;
pub mod types;
