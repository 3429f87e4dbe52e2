//! The abstract device interface: MPI's messages on Fast Messages.
//!
//! The path of a message, in the order to read:
//!
//! 1. [`send`]: eager, or announced;
//! 2. [`envelope`]: what travels;
//! 3. [`upcall`]: the handlers at the receiver;
//! 4. [`matching`] on [`run`] and [`lists`]: which receive takes it;
//! 5. [`receive`]: posting and delivering; [`rendezvous`], [`fetch`] and [`help`]: bodies of announced messages; [`push`]: what waits for room;
//! 6. [`landing`]: bodies that a device reads straight into their place;
//! 7. [`progress`]: who runs all this, and how one waits.
//!
//! [`cancel`] takes messages back, [`peer`] is what is kept for each process. No device is named here.

pub mod cancel;
pub mod envelope;
pub mod fetch;
pub mod help;
pub mod landing;
pub mod lists;
pub mod matching;
pub mod peer;
pub mod progress;
pub mod push;
pub mod receive;
pub mod rendezvous;
pub mod run;
pub mod send;
pub mod upcall;
