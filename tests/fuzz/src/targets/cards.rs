//! The cards that ranks tell each other over TCP before a device has it. How they look is the library's own business: it brings what drives them
//! (`mpi-fm/abi/src/reach/cards.rs`), in builds for this program only.

#[cfg(fuzzing)]
pub use mpi_fm_abi::reach::cards::fuzz::{run, seeds};

#[cfg(not(fuzzing))]
pub use super::elsewhere::{nothing as run, seeds};
