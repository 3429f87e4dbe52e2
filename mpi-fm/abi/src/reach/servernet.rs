//! Two networks as one device: [`hpvm_servernet`].

use super::devices::{Candidate, Contact, Row, Setting, Wired};
use fm::Peer;
use hpvm_servernet::{Card, Cuts, Ends, Key, Network, Plan, Servernet};
use mpi_fm::{Result, bail};
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

pub const ROW: Row = Row { name: "servernet", open };

/// Sockets that work, and what is needed to go on.
struct Prepared {
    ends: Ends,
    me: Peer,
    key: [u8; 32],
    look_every: u32,
    faults: Option<Plan>,
}

/// So many addresses of others are asked how large a datagram to them may be.
const ASKED: usize = 32;

/// Faults on purpose, for tests: see `docs/devices/servernet.md`.
const FAULTS: &str = "HPVM_FAULTS";

fn open(setting: &Setting) -> std::result::Result<Box<dyn Candidate>, String> {
    let ways = setting.network.peers.iter().flat_map(|at| &at.ways).filter(|way| way.device == "servernet");
    let mut reached: Vec<IpAddr> = Vec::new();
    for address in ways.flat_map(|way| &way.addresses) {
        if reached.len() < ASKED && !reached.contains(address) {
            reached.push(*address);
        }
    }
    let faults = std::env::var(FAULTS).ok().filter(|text| !text.is_empty()).map(|text| Plan::parse(&text).map_err(|why| format!("{FAULTS}={text}: {why}")));
    let ends = Ends::new(&reached).map_err(|error| format!("UDP cannot be used: {error}"))?;
    let Setting { me, network, look_every, .. } = *setting;
    Ok(Box::new(Prepared { ends, me, key: network.key, look_every, faults: faults.transpose()? }))
}

impl Candidate for Prepared {
    fn card(&self) -> String {
        self.ends.card().to_string()
    }

    fn suits(&self, peer: &Contact) -> std::result::Result<(), String> {
        contact(peer).map(drop)
    }

    fn join(self: Box<Self>, peers: Vec<Option<Contact>>) -> Result<Arc<dyn Wired>> {
        let Prepared { ends, me, key, look_every, faults } = *self;
        let peers = peers.iter().map(|peer| peer.as_ref().and_then(|peer| contact(peer).ok())).collect();
        let log = Box::new(move |what: &str| eprintln!("hpvm: rank {}: {what}", me.0));
        let network = Network { me, key: Key(key), peers, look_every, faults, cuts: Arc::new(Cuts::default()), log };
        match Servernet::new(ends, network) {
            Ok(device) => Ok(Arc::new(device)),
            Err(error) => bail!(OTHER, "the networks of servernet cannot be used: {error}"),
        }
    }
}

/// In one network only, both fabrics are that one.
fn contact(peer: &Contact) -> std::result::Result<hpvm_servernet::Contact, String> {
    let card: Card = peer.card.parse()?;
    let addresses = match peer.addresses[..] {
        [] => return Err("no address of it is known".into()),
        [only] => [only; 2],
        [x, y, ..] => [x, y],
    };
    Ok(hpvm_servernet::Contact { card, addresses })
}

impl Wired for Servernet {
    fn descriptor(&self) -> BorrowedFd<'_> {
        Servernet::descriptor(self)
    }

    fn limit(&self) -> Option<Duration> {
        Servernet::limit(self)
    }
}
