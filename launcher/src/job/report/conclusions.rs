//! What follows from the waits of all ranks: cycles, and ranks that do not do what others wait for.
//!
//! A wait for one rank is an edge of a graph in which each rank has at most one. Following the edges from any rank leads into a cycle, or to
//! a rank that waits for nobody. Waits of which one of several things is enough are no edges.

use hpvm_wire::status::Wait;
use hpvm_wire::waiting::{ANY, What};

use super::words::{self, briefly, instead, on, peer};
use super::{Doing, View};

/// In a job that runs, waits come and go: a cycle of such is none.
const PASSING_NS: u64 = 200_000_000;

/// Where a collective call's number is, beside what it does.
const NUMBER_MASK: i32 = (1 << 19) - 1;

/// Sentences, the most telling first.
pub fn of(ranks: &[View], now_ns: u64) -> Vec<String> {
    let cycles = cycles(ranks, now_ns);
    let mut sentences: Vec<String> = cycles.iter().map(|cycle| in_words(ranks, cycle)).collect();
    let mut all: Vec<(Missing, Vec<usize>)> = Vec::new();
    for (rank, view) in ranks.iter().enumerate() {
        let explained = cycles.iter().any(|cycle| cycle.contains(&rank) && !has_collective(ranks, cycle));
        let Some(missing) = view.wait().filter(|_| !explained).and_then(|wait| missing(ranks, rank, wait)) else { continue };
        match all.iter_mut().find(|(other, _)| *other == missing) {
            Some((_, waiting)) => waiting.push(rank),
            None => all.push((missing, vec![rank])),
        }
    }
    sentences.extend(all.iter().map(|(missing, waiting)| missing.in_words(waiting)));
    if sentences.is_empty() {
        sentences.extend(nobody_is_left(ranks));
    }
    sentences
}

/// The rank that has to act before this one goes on, if it is one.
fn next(ranks: &[View], rank: usize) -> Option<usize> {
    let waiting = &ranks[rank].wait()?.waiting;
    let to = usize::try_from(waiting.world).ok().filter(|to| *to < ranks.len())?;
    (!waiting.any && waiting.what != What::Other).then_some(to)
}

/// Each with its lowest rank first.
fn cycles(ranks: &[View], now_ns: u64) -> Vec<Vec<usize>> {
    let mut seen = vec![false; ranks.len()];
    let mut cycles = Vec::new();
    for start in 0..ranks.len() {
        let mut path = Vec::new();
        let mut at = Some(start);
        while let Some(rank) = at.filter(|rank| !seen[*rank]) {
            seen[rank] = true;
            path.push(rank);
            at = next(ranks, rank);
        }
        let Some(from) = at.and_then(|rank| path.iter().position(|other| *other == rank)) else { continue };
        let mut cycle = path.split_off(from);
        let lowest = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
        cycle.rotate_left(lowest);
        let lasts = |rank: &usize| ranks[*rank].wait().is_some_and(|wait| now_ns.saturating_sub(wait.moved_ns) >= PASSING_NS);
        if cycle.iter().all(lasts) {
            cycles.push(cycle);
        }
    }
    cycles
}

fn has_collective(ranks: &[View], cycle: &[usize]) -> bool {
    cycle.iter().any(|rank| ranks[*rank].wait().is_some_and(|wait| wait.waiting.what == What::Collective))
}

fn in_words(ranks: &[View], cycle: &[usize]) -> String {
    let wait = |rank: usize| ranks[rank].wait().expect("who is in a cycle waits");
    let comm = |rank: usize| on(&wait(rank).waiting);
    let one_comm = cycle.iter().all(|rank| comm(*rank) == comm(cycle[0]));
    let mut parts: Vec<String> = Vec::new();
    for rank in cycle {
        // Whoever asks again and again waits, too.
        let waits = if parts.is_empty() { "waits " } else { "" };
        let place = if one_comm { String::new() } else { comm(*rank) };
        parts.push(format!("rank {rank} {waits}in {}{place}", briefly(wait(*rank), ranks[*rank].call, *rank)));
    }
    let place = if one_comm { format!(" ({})", comm(cycle[0]).trim_start_matches(", ")) } else { String::new() };
    format!("cycle: {}{}", parts.join("; "), if place == " ()" { "" } else { &place })
}

/// What a rank has not done for which others wait.
#[derive(PartialEq)]
struct Missing {
    what: What,
    /// The rank.
    whom: String,
    /// The call in which the others wait.
    place: String,
    /// What it does instead.
    instead: String,
    /// Who waits in a collective call, which need not be for this rank.
    there: Vec<usize>,
}

impl Missing {
    fn in_words(&self, waiting: &[usize]) -> String {
        let Self { what, whom, place, instead, there } = self;
        let (one, ranks) = (waiting.len() == 1, words::ranks(waiting));
        match what {
            What::Collective => {
                let wait = if there.len() == 1 { "waits" } else { "wait" };
                format!("{whom} {place}: it {instead} ({} {wait} there)", words::ranks(there))
            }
            What::Send => {
                format!("{whom} has not received the message{} of {ranks} ({place}): it {instead}", if one { "" } else { "s" })
            }
            What::Receive | What::Other => {
                format!("{whom} has not sent what {ranks} wait{} for ({place}): it {instead}", if one { "s" } else { "" })
            }
        }
    }
}

/// What another rank has not done for which `rank` waits.
fn missing(ranks: &[View], rank: usize, wait: &Wait) -> Option<Missing> {
    let waiting = &wait.waiting;
    let other = next(ranks, rank)?;
    let (view, whom) = (&ranks[other], peer(waiting));
    let call = ranks[rank].call.unwrap_or("an MPI call");
    let tag = if waiting.tag == ANY { "any tag".into() } else { format!("tag {}", waiting.tag) };
    let (place, there) = match waiting.what {
        What::Collective if takes_part(view, wait) => return None,
        What::Receive if view.wait().is_some() && !view.is_stopped() => return None,
        What::Other => return None,
        What::Collective => {
            let operation = waiting.operation_name().unwrap_or(call);
            let comm = waiting.comm_text().map_or_else(String::new, |comm| format!(" on {comm}"));
            // It may have called it and been stopped on the way; the line does not say.
            let has_not = if view.is_stopped() && view.wait().is_none() { "has not done its part of" } else { "has not called" };
            let there = (0..ranks.len()).filter(|rank| takes_part(&ranks[*rank], wait)).collect();
            (format!("{has_not} {operation}{comm}"), there)
        }
        What::Send | What::Receive => (format!("{call}, {tag}{}", on(waiting)), Vec::new()),
    };
    Some(Missing { what: waiting.what, whom, place, instead: instead(view, other), there })
}

/// Whether a rank waits in the same collective call.
fn takes_part(view: &View, wait: &Wait) -> bool {
    view.wait().is_some_and(|own| {
        let (a, b) = (&own.waiting, &wait.waiting);
        a.what == What::Collective && a.comm_id == b.comm_id && (a.tag ^ b.tag) & NUMBER_MASK == 0
    })
}

/// All wait for whoever comes, and nobody can come.
fn nobody_is_left(ranks: &[View]) -> Option<String> {
    let gone = |view: &View| matches!(view.doing, Doing::Left { .. } | Doing::Finalised);
    let of_any = |view: &View| view.wait().is_some_and(|wait| wait.waiting.what == What::Receive && wait.waiting.world == ANY);
    if !ranks.iter().all(|view| gone(view) || view.wait().is_some()) {
        return None;
    }
    let waiting: Vec<usize> = (0..ranks.len()).filter(|rank| of_any(&ranks[*rank])).collect();
    let first = *waiting.first()?;
    let call = ranks[first].call.unwrap_or("an MPI call");
    let (verb, call) = if waiting.len() == 1 { ("waits", format!(" in {call}")) } else { ("wait", String::new()) };
    Some(format!("{} {verb}{call} for any rank, and no rank is left that could send", words::ranks(&waiting)))
}
