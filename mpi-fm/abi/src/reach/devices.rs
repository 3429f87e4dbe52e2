//! The devices between nodes, and which of them carries the messages of each pair of ranks.
//!
//! What may carry them is said by the launcher, in order (`hpvm_wire::network`). How a device reaches a rank, and whether it works there at all, is known
//! only once that rank runs. So each rank tries its devices ([`try_all`]), tells the others what came of it ([`cards`](super::cards)), and takes for
//! each of them the first device that works on both sides ([`choose`]). Both sides know the same, so both take the same.
//!
//! A new device is a row of [`TABLE`] here and one of `hpvm_wire::devices`, and a module that makes it a [`Candidate`] and [`Wired`]. `ip` needs
//! none: its addresses are known before there are ranks, and it is there when it is asked for.

use super::cards::{Card, Entry};
use crate::host::Machine;
use fm::{Device, Peer, Threading};
use hpvm_wire::network::Way;
use hpvm_wire::{Network, devices};
use mpi_fm::{Result, bail};
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

/// A device between nodes, as the ways to wait need it.
pub trait Wired: Device {
    /// Readable when there is something to do.
    fn descriptor(&self) -> BorrowedFd<'_>;

    /// How long a sleep that begins now may last, whatever arrives.
    fn limit(&self) -> Option<Duration>;
}

/// A device that works on this rank; the others do not know of it yet.
pub trait Candidate {
    /// What they have to know, in one line.
    fn card(&self) -> String;

    /// Whether it leads to this peer; why not. The peer says the same of this rank.
    ///
    /// # Errors
    /// Why not, for people.
    fn suits(&self, peer: &Contact) -> std::result::Result<(), String>;

    /// All have told. By peer: how it is reached, if it is to be reached by this device.
    ///
    /// # Errors
    /// `MPI_ERR_OTHER` when it does not work any more.
    fn join(self: Box<Self>, peers: Vec<Option<Contact>>) -> Result<Arc<dyn Wired>>;
}

/// How a peer is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub card: String,
    /// In the networks that the device is to use.
    pub addresses: Vec<IpAddr>,
}

/// What a device is made with.
#[derive(Clone)]
pub struct Setting<'s> {
    pub me: Peer,
    /// Key and ranks of the job.
    pub network: &'s Network,
    /// This node's addresses in the device's networks, where they are known.
    pub addresses: &'s [IpAddr],
    /// How many threads may call at once.
    pub threading: Threading,
    /// To end the job by.
    pub host: &'s Arc<Machine>,
    /// How often a poll looks at the network: with 1 every time, with more when most messages come by another device.
    pub look_every: u32,
}

pub struct Row {
    pub name: &'static str,
    /// Makes the device and tests it on this machine.
    pub open: fn(&Setting) -> std::result::Result<Box<dyn Candidate>, String>,
}

/// All devices that need cards.
pub const TABLE: &[Row] = &[super::servernet::ROW, super::via::ROW];

/// A device of the table after its test.
pub struct Tried {
    pub name: &'static str,
    pub outcome: std::result::Result<Box<dyn Candidate>, String>,
}

/// Tries the devices of `table` by which some of the ranks `far` away may be reached.
pub fn try_all(table: &[Row], far: &[bool], setting: &Setting) -> Vec<Tried> {
    let ways = || setting.network.peers.iter().zip(far).filter(|(_, far)| **far).flat_map(|(at, _)| &at.ways);
    let wanted = table.iter().filter(|row| ways().any(|way| way.device == row.name));
    let open = |row: &Row| {
        let own = setting.network.here.iter().find(|way| way.device == row.name);
        let addresses = own.map_or(&[][..], |way| &way.addresses);
        Tried { name: row.name, outcome: (row.open)(&Setting { addresses, ..setting.clone() }) }
    };
    wanted.map(open).collect()
}

/// What this rank tells the others.
pub fn card(host: &str, tried: &[Tried]) -> Card {
    let entry = |tried: &Tried| Entry { device: tried.name.into(), said: tried.outcome.as_ref().map(|it| it.card()).map_err(Clone::clone) };
    Card { host: host.into(), entries: tried.iter().map(entry).collect() }
}

/// The way to a peer that was taken, and why the ones before it were not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub way: Way,
    /// `DEVICE: WHY`
    pub passed_over: Vec<String>,
}

/// By peer: the first way that works on both sides. `None` for those that are not `far` away.
///
/// # Errors
/// `MPI_ERR_OTHER` when there is none.
pub fn choose(network: &Network, far: &[bool], tried: &[Tried], cards: &[Card]) -> Result<Vec<Option<Choice>>> {
    let peers = network.peers.iter().zip(far).enumerate();
    peers.map(|(peer, (at, far))| far.then(|| choose_for(peer, &at.ways, tried, cards)).transpose()).collect()
}

fn choose_for(peer: usize, ways: &[Way], tried: &[Tried], cards: &[Card]) -> Result<Choice> {
    let mut passed_over = Vec::new();
    for way in ways {
        match usable(way, tried, cards.get(peer)) {
            Ok(()) => return Ok(Choice { way: way.clone(), passed_over }),
            Err(why) => passed_over.push(format!("{}: {why}", way.device)),
        }
    }
    let host = cards.get(peer).map_or(String::new(), |card| format!(" on {}", card.host));
    bail!(OTHER, "no device carries messages to rank {peer}{host}: {}", passed_over.join("; "))
}

/// Whether a way leads to a peer with this card.
fn usable(way: &Way, tried: &[Tried], card: Option<&Card>) -> std::result::Result<(), String> {
    if devices::find(&way.device).is_some_and(|device| !device.cards) {
        return Ok(());
    }
    let ours = tried.iter().find(|tried| tried.name == way.device).ok_or("this version does not have it")?;
    let candidate = ours.outcome.as_ref().map_err(|why| format!("here {why}"))?;
    let theirs = card.and_then(|card| card.entry(&way.device)).ok_or("the other side does not have it")?;
    let said = theirs.as_ref().map_err(|why| format!("there {why}"))?;
    candidate.suits(&Contact { card: said.clone(), addresses: way.addresses.clone() })
}

/// What `--explain` has not foreseen: a line for each node, from this one's first rank, that is not reached by the first of its ways.
pub fn surprises(network: &Network, choices: &[Option<Choice>], cards: &[Card], me: Peer) -> Vec<String> {
    let mut told: Vec<u32> = Vec::new();
    let mut lines = Vec::new();
    for (peer, choice) in choices.iter().enumerate() {
        let Some(choice) = choice.as_ref().filter(|choice| !choice.passed_over.is_empty()) else { continue };
        let node = network.peers[peer].node;
        if peer > me.index() && !told.contains(&node) {
            told.push(node);
            let name = |at: usize| cards.get(at).map_or("?", |card| &card.host);
            let not = choice.passed_over.iter().map(|why| format!("\n    not {why}"));
            lines.push(format!("between {} and {}: {}{}", name(me.index()), name(peer), choice.way.device, not.collect::<String>()));
        }
    }
    lines
}

#[cfg(test)]
mod tests;
