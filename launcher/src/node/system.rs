//! `hpvmd --system`: the node daemon as a system's service, for all users of a machine.
//!
//! ```text
//! hpvmd --system (root)  ── a caller, greeted (door)
//!   └ guard (root) ── hpvmd (the user), one pair for each context ── keepers ── ranks
//! ```
//! It listens at one port. [`door`] shakes hands with callers until they are known by their keys; in a [`queue`] they wait for one of the [`places`]. [`admit`] is a child that becomes the user
//! whom the caller names, looks whether the caller's key is one of the user's, and then waits for one of the node's [`contexts`]. With it, it
//! gets the keys of the connection and is from then on what ssh would have started: `node/daemon.rs`, over an encrypted channel. The daemon
//! itself reads nothing of what goes to and from jobs.
//!
//! Above it stands a [`guard`], which sees to it that nothing of a job is left. A context is taken back when the kernel says that its guard has ended. With the
//! daemon all its children end, and with them their jobs. See `docs/decisions/0016-system-daemon.md`.

pub mod admit;
pub mod config;
pub mod contexts;
pub mod door;
pub mod guard;
pub mod places;
pub mod queue;
pub mod serve;

use std::path::Path;

use super::noise::keys::KeyPair;
use crate::exit;
use config::Config;

/// All of `hpvmd --system`; `path` is the file with its settings, by itself one that may be missing.
pub fn main(path: Option<&str>) -> u8 {
    let outcome = Config::read(path.map(Path::new)).and_then(|config| {
        // The secret is not for a process that later belongs to a user.
        crate::sys::account::hide().map_err(|error| format!("cannot hide the memory of this process: {error}"))?;
        let key = KeyPair::read_or_make(&config.host_key)?;
        serve::Daemon::new(config, key)
    });
    match outcome {
        Ok(daemon) => daemon.run(),
        Err(why) => {
            eprintln!("hpvmd: {why}");
            exit::LAUNCH
        }
    }
}
