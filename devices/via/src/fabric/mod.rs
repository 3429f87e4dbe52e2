//! A thin layer over libfabric: its objects as owned values, its calls as methods, its errors as text. It knows nothing of packets.
//!
//! 1. [`abi`]: libfabric's structures and tables, declared.
//! 2. [`library`]: finding and loading it.
//! 3. [`info`]: what its providers offer.
//! 4. [`objects`]: a provider that was opened: domain, address vector, completion queue, endpoint, registered memory.
//! 5. [`signals`]: the program's signal handlers stay its own.
//!
//! One thread at a time may call into one domain's objects (`FI_THREAD_DOMAIN`): so methods that do more than look want `&mut`, or are
//! `unsafe`, or say so.

pub mod abi;
pub mod info;
pub mod library;
pub mod objects;
mod signals;
#[cfg(test)]
mod tests;

pub use info::{Infos, Offer};
pub use library::Library;
pub use objects::{Entry, Failed, Moved, Nic, Queues, Registration};
