//! What a person is told when a job does not end well.

use std::fmt::Write as _;

use hpvm_wire::Board;

use super::judge::{Cause, Ending, Incident, Judge};
use crate::exit::signal_name;
use crate::plan::Plan;

/// How often the kernel has killed a process for want of memory, since the machine was started.
pub fn memory_kills() -> u64 {
    let text = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
}

/// The summary of a job: nothing if all is well. `kills` is how many [`memory_kills`] there were meanwhile.
pub fn summary(plan: &Plan, judge: &Judge, board: &Board, kills: u64) -> Option<String> {
    let mut text = outcome(plan, judge, board)?;
    let killed = |incident: &Incident| incident.status() == 128 + libc::SIGKILL as u8;
    if kills > 0 && judge.incidents.iter().any(killed) {
        text.push_str("\n  the kernel has run out of memory and killed processes meanwhile");
    }
    Some(text)
}

fn outcome(plan: &Plan, judge: &Judge, board: &Board) -> Option<String> {
    match judge.ending() {
        Some(Ending::Signal(number)) => Some(format!(
            "{} ended the job: {} of {} ranks were still running",
            signal_name(number),
            judge.ended_others,
            plan.size()
        )),
        Some(Ending::Timeout | Ending::Own { .. }) => None,
        Some(Ending::Incident(index)) => {
            let first = judge.incidents.first()?;
            let mut text = incident(plan, judge, board, first);
            if index != 0 {
                let _ = write!(text, "\n  then {}", incident(plan, judge, board, &judge.incidents[index]));
            }
            let others = match judge.ended_others {
                0 => "no other rank was running any more".into(),
                1 => "1 other rank was ended".into(),
                count => format!("{count} other ranks were ended"),
            };
            Some(format!("{text}\n  {others}"))
        }
        None => {
            let first = judge.incidents.first()?;
            let mut text = incident(plan, judge, board, first);
            match judge.incidents.len() - 1 {
                0 => (),
                1 => text.push_str("\n  1 other rank left badly too"),
                more => {
                    let _ = write!(text, "\n  {more} other ranks left badly too");
                }
            }
            Some(text)
        }
    }
}

/// How a rank failed, as a sentence.
pub fn incident(plan: &Plan, judge: &Judge, board: &Board, incident: &Incident) -> String {
    let part = &plan.parts[plan.ranks[incident.rank as usize].part];
    let line = &board[incident.rank as usize];
    let pid = judge.pid(incident.rank).map_or_else(String::new, |pid| format!("pid {pid}, "));
    let what = match incident.cause {
        Cause::Aborted { code } => format!("called MPI_Abort with code {code}"),
        Cause::Unfinished(end) => format!("{end}, after MPI_Init and without MPI_Finalize"),
        Cause::Vanished => {
            "lost its MPI process, which died after MPI_Init and without MPI_Finalize below another program".into()
        }
        Cause::Plain(end) => format!("{end}, and had not called MPI_Init"),
        Cause::Finalised(end) => format!("{end}, after MPI_Finalize"),
    };
    let call = match incident.cause {
        Cause::Unfinished(_) | Cause::Vanished => match line.last_call() {
            Some(name) if line.wait().is_some() => format!("; it was waiting in {name}"),
            Some(name) => format!("; its last MPI call was {name}"),
            None => String::new(),
        },
        _ => String::new(),
    };
    format!("rank {} ({pid}{} on {}) {what}{call}", incident.rank, part.name, plan.host_of(incident.rank))
}
