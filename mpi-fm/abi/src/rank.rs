//! A process between initialisation and finalisation.

/// One rank: the engine, and what the C interface adds to it.
pub struct Rank {}
