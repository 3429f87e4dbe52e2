//! Requests in words, for a person who looks for one that was forgotten.

use super::{Inner, NULL, Request, State};
use crate::adi::envelope::Plane;
use crate::handle::Handle;
use crate::process::Process;

impl Process {
    /// The program's requests that it has neither completed nor freed, in words. Those that others of them consist of are left out.
    pub fn held_requests(&self) -> Vec<String> {
        let rounds: Vec<Handle> = self
            .requests
            .iter()
            .filter_map(|(_, request)| match &request.inner.lock().state {
                State::Persistent(persistent) if persistent.active != NULL => Some(persistent.active),
                _ => None,
            })
            .collect();
        let mut held = Vec::new();
        for (handle, request) in self.requests.iter() {
            let inner = request.inner.lock();
            if inner.held && !rounds.contains(&handle) && is_of_program(&inner) {
                held.push(self.describe(request, &inner));
            }
        }
        held
    }

    fn describe(&self, request: &Request, inner: &Inner) -> String {
        let comm = self.comm(inner.comm);
        let place = comm.as_ref().map_or_else(|_| "a freed communicator".to_owned(), |comm| comm.describe());
        let status = &inner.outcome.status;
        let what = match &inner.state {
            State::Sending { to, envelope } => {
                let rank = comm.ok().and_then(|comm| comm.targets().rank_of(*to));
                let to = rank.map_or_else(|| "another process".to_owned(), |rank| format!("rank {rank}"));
                format!("send to {to} with tag {} on {place}", envelope.tag)
            }
            State::Posted { .. } | State::Receiving { .. } | State::Idle if status.source >= 0 => {
                format!("receive from rank {} with tag {} on {place}", status.source, status.tag)
            }
            State::Posted { .. } | State::Receiving { .. } => format!("receive on {place}"),
            State::Idle => format!("operation on {place}"),
            State::Collective => format!("nonblocking operation on {place}"),
            State::Partitioned(_) => return format!("partitioned operation on {place}"),
            State::Generalized(_) => "generalized request".to_owned(),
            State::Persistent(persistent) => {
                let round = if persistent.active == NULL { "inactive" } else { "started" };
                return format!("persistent operation on {place}, {round}");
            }
        };
        format!("{what}, {}", if request.is_done() { "complete" } else { "not complete" })
    }
}

/// Parts of collective operations under way are requests, too.
fn is_of_program(inner: &Inner) -> bool {
    match &inner.state {
        State::Sending { envelope, .. } => envelope.plane == Plane::PointToPoint,
        State::Posted { plane, .. } => *plane == Plane::PointToPoint,
        _ => true,
    }
}
