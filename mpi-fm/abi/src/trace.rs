//! `HPVM_TRACE=fm`: counts the messages of Fast Messages and tells them at `MPI_Finalize`.

use crate::failure::who;
use crate::instance::Instance;
use crate::rank::Rank;
use mpi_fm::adi::envelope::HANDLERS;
use std::fmt::Write as _;

/// Whether the user wants them counted.
pub fn wanted() -> bool {
    std::env::var("HPVM_TRACE").is_ok_and(|wanted| wanted.split(',').any(|layer| layer == "fm"))
}

/// One line to standard error, if messages were counted: how many of each kind went out and came in.
pub fn report(instance: &Instance, rank: &Rank) {
    let Some(counts) = rank.fm.counts() else { return };
    let mut line = format!("hpvm: {}: fm messages sent/received:", who(instance));
    for (handler, name) in HANDLERS {
        let index = usize::from(handler.0);
        let _ = write!(line, " {name} {}/{}", counts.sent[index], counts.received[index]);
    }
    eprintln!("{line}");
}
