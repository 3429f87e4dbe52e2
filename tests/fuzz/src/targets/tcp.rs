//! TCP between nodes. The device's parts are its own: it brings what drives them (`devices/ip/src/fuzz.rs`), in builds for this program only.

#[cfg(fuzzing)]
pub use hpvm_ip::fuzz::{records, records_seeds, run, seeds};

#[cfg(not(fuzzing))]
pub use super::elsewhere::{nothing as run, nothing as records, seeds, seeds as records_seeds};
