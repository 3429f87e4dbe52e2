//! `HPVM_REPORT_LEAKS=1`: the handles that the program has not freed when it leaves MPI.
//!
//! The standard frees nothing on its own: a program that makes communicators, types or requests in a loop grows until it dies. This tells
//! what is left when the World Model and all sessions have ended. Nothing is printed when nothing is left.

use crate::failure::who;
use crate::instance::Instance;
use crate::rank::Rank;
use mpi_fm::handle::Kind;
use std::fmt::Write as _;

/// Whether the user's environment asks for the report.
pub fn wanted_by_environment() -> bool {
    std::env::var("HPVM_REPORT_LEAKS").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "no" | "off" | "false"))
}

/// A tool's word counts more than the environment's.
fn wanted(instance: &Instance) -> bool {
    instance.tools.report_leaks().map_or_else(wanted_by_environment, |value| value != 0)
}

/// Objects of a kind that are described; of the others only the number is told.
const DESCRIBED_MAX: usize = 4;

/// One block to standard error, if the user wants it and something is left.
pub fn report(instance: &Instance, rank: &Rank) {
    if !wanted(instance) {
        return;
    }
    let lines = lines(instance, rank);
    if !lines.is_empty() {
        // One write: ranks share the terminal.
        let block = format!("hpvm: {}: not freed when MPI was finalised:\n{lines}", who(instance));
        eprint!("{block}");
    }
}

/// What other sessions use cannot be told from what was forgotten, so the list waits for their end.
pub fn report_sessions(instance: &Instance) {
    let open = instance.sessions.iter().count();
    if open > 0 && instance.rank().is_some() && wanted(instance) {
        let sessions = counted(open, Kind::Session.name());
        eprintln!("hpvm: {}: {sessions} not finalised at MPI_Finalize: leaks are told when the last one is", who(instance));
    }
}

fn lines(instance: &Instance, rank: &Rank) -> String {
    let process = &rank.process;
    let mut lines = String::new();
    let comms: Vec<String> = process.comms.iter().map(|(_, comm)| comm.describe()).collect();
    described(&mut lines, Kind::Comm.name(), &comms);
    let groups: Vec<String> = rank.groups.iter().map(|(_, group)| format!("of {}", group.size())).collect();
    described(&mut lines, Kind::Group.name(), &groups);
    let types: Vec<String> = process.types.derived().map(|ty| ty.describe()).collect();
    described(&mut lines, Kind::Datatype.name(), &types);
    described(&mut lines, Kind::Request.name(), &process.held_requests());
    let plain = [
        (process.ops.users(), Kind::Op.name()),
        (instance.infos.live(), Kind::Info.name()),
        (instance.errhandlers.iter().count(), Kind::Errhandler.name()),
        (process.keyvals.live(), "attribute key"),
        (rank.messages.iter().count(), "message matched by a probe and not received"),
    ];
    for (count, name) in plain {
        if count > 0 {
            let _ = writeln!(lines, "    {}", counted(count, name));
        }
    }
    lines
}

fn described(lines: &mut String, name: &str, objects: &[String]) {
    if objects.is_empty() {
        return;
    }
    let shown = objects[..objects.len().min(DESCRIBED_MAX)].join("; ");
    let more = if objects.len() > DESCRIBED_MAX { "; …" } else { "" };
    let _ = writeln!(lines, "    {}: {shown}{more}", counted(objects.len(), name));
}

/// "1 group", "2 groups"; what is counted ends before a space.
fn counted(count: usize, name: &str) -> String {
    if count == 1 {
        return format!("1 {name}");
    }
    match name.split_once(' ') {
        Some(("message", rest)) => format!("{count} messages {rest}"),
        _ => format!("{count} {name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!(counted(1, "group"), "1 group");
        assert_eq!(counted(2, "attribute key"), "2 attribute keys");
        assert_eq!(counted(3, "message matched by a probe"), "3 messages matched by a probe");
    }

    #[test]
    fn many_objects_are_cut_short() {
        let mut lines = String::new();
        described(&mut lines, "group", &vec!["of 2".to_owned(); 5]);
        assert_eq!(lines, "    5 groups: of 2; of 2; of 2; of 2; …\n");
    }
}
