//! `hpvmd`, a node's side of a job; see [`hpvm_launcher::node::daemon`].

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hpvm_launcher::node::daemon::main())
}
