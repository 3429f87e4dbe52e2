//! Ranks and their waits in words.

use hpvm_wire::status::Wait;
use hpvm_wire::waiting::{ANY, NOBODY, Waiting, What};

use super::{Doing, View};

/// What rank `rank` is doing, as a sentence about it.
pub fn doing(view: &View, rank: usize, now_ns: u64) -> String {
    let stopped = if view.is_stopped() { "is stopped; it " } else { "" };
    match &view.doing {
        Doing::Waits(wait) => {
            format!("{stopped}waits in {}, for {:.1} s", whole(wait, view.call, rank), seconds(wait.since_ns, now_ns))
        }
        Doing::Asks(wait) => {
            format!("{stopped}asks in {}, in vain for {:.1} s", whole(wait, view.call, rank), seconds(wait.since_ns, now_ns))
        }
        _ => instead(view, rank),
    }
}

/// What a rank does of which something else is expected.
pub fn instead(view: &View, rank: usize) -> String {
    let last = view.call.map_or_else(String::new, |call| format!(", last MPI call {call}"));
    match &view.doing {
        Doing::Left { finalised: true } => "has called MPI_Finalize, and has left".into(),
        Doing::Left { finalised: false } => "has left".into(),
        _ if view.is_stopped() && view.wait().is_none() => format!("is stopped{last}"),
        Doing::Plain => "has not called MPI_Init".into(),
        Doing::Initialises => "is in MPI_Init".into(),
        Doing::Finalised => "has called MPI_Finalize, and runs".into(),
        Doing::Aborts => "is aborting".into(),
        Doing::Waits(wait) if view.is_stopped() => format!("is stopped, and waits in {}", whole(wait, view.call, rank)),
        Doing::Asks(wait) if view.is_stopped() => format!("is stopped, and asks in {}", whole(wait, view.call, rank)),
        Doing::Asks(wait) => format!("asks again and again in {}", whole(wait, view.call, rank)),
        Doing::Waits(wait) => format!("waits in {}", whole(wait, view.call, rank)),
        Doing::Runs => match view.process.map(|process| process.state) {
            Some(b'R') => format!("computes{last}"),
            // In the program's own `read` or `sleep`: the library's sleep is a wait, and shown.
            Some(b'S' | b'D' | b'I') => format!("sleeps outside MPI{last}"),
            _ => format!("runs{last}"),
        },
    }
}

/// A word for programs.
pub fn state(view: &View) -> &'static str {
    match view.doing {
        Doing::Left { .. } => "left",
        _ if view.is_stopped() => "stopped",
        Doing::Plain => "before MPI_Init",
        Doing::Initialises => "in MPI_Init",
        Doing::Runs => "runs",
        Doing::Waits(_) => "waits",
        Doing::Asks(_) => "asks",
        Doing::Finalised => "after MPI_Finalize",
        Doing::Aborts => "aborts",
    }
}

/// The same for what is waited for.
pub fn what(wait: &Wait) -> Option<&'static str> {
    match wait.waiting.what {
        What::Other => None,
        What::Receive => Some("receive"),
        What::Send => Some("send"),
        What::Collective => Some("collective"),
    }
}

/// `MPI_Recv for rank 1, tag 7, on MPI_COMM_WORLD`
fn whole(wait: &Wait, call: Option<&str>, rank: usize) -> String {
    format!("{}{}{}", briefly(wait, call, rank), on(&wait.waiting), others(&wait.waiting))
}

/// `MPI_Recv for rank 1, tag 7`
pub fn briefly(wait: &Wait, call: Option<&str>, rank: usize) -> String {
    let waiting = &wait.waiting;
    let call = call.unwrap_or("an MPI call");
    let call = match waiting.operation_name() {
        // A call of one kind may wait for one of another: MPI_Wait, or the parts that others are made of.
        Some(operation) if operation != call => format!("{call} (of a nonblocking {operation})"),
        _ => call.to_owned(),
    };
    let whom = match waiting.what {
        What::Other => return call,
        _ if waiting.peer == NOBODY => return call,
        _ if waiting.world == rank as i32 => "itself".into(),
        _ => peer(waiting),
    };
    let tag = if waiting.tag == ANY { "any tag".into() } else { format!("tag {}", waiting.tag) };
    match waiting.what {
        What::Collective | What::Other => format!("{call} for {whom}"),
        What::Receive => format!("{call} for {whom}, {tag}"),
        What::Send => format!("{call} for {whom} to receive, {tag}"),
    }
}

/// The rank waited for: in `MPI_COMM_WORLD`, and in the communicator where that is another number.
pub fn peer(waiting: &Waiting) -> String {
    match waiting.world {
        ANY => "any rank".into(),
        world if waiting.inter => format!("rank {world} (rank {} of the other group)", waiting.peer),
        world if world != waiting.peer => format!("rank {world} (rank {} there)", waiting.peer),
        world => format!("rank {world}"),
    }
}

/// `, on MPI_COMM_WORLD`
pub fn on(waiting: &Waiting) -> String {
    waiting.comm_text().map_or_else(String::new, |comm| format!(", on {comm}"))
}

fn others(waiting: &Waiting) -> String {
    let count = waiting.others;
    match (waiting.what, waiting.any) {
        _ if count == 0 => String::new(),
        (_, true) => format!(", or for one of {count} other requests"),
        (What::Collective, _) => format!(", and for {count} more"),
        _ => format!(", and for {count} more request{}", if count == 1 { "" } else { "s" }),
    }
}

pub fn seconds(since_ns: u64, now_ns: u64) -> f64 {
    (now_ns.saturating_sub(since_ns) / 1_000_000) as f64 * 1e-3
}

/// `ranks 0-2, 5`, or `rank 3`.
pub fn ranks(list: &[usize]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for range in list.chunk_by(|a, b| a + 1 == *b) {
        match range {
            [one] => parts.push(one.to_string()),
            [first, .., last] => parts.push(format!("{first}-{last}")),
            [] => (),
        }
    }
    format!("rank{} {}", if list.len() == 1 { "" } else { "s" }, parts.join(", "))
}
