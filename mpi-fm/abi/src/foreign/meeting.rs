//! The ranks find each other through a launcher that carries words only.
//!
//! All put a [`Card`], and rank 0 the job's key; after that everybody has all cards. Then come rounds, mostly one: of those that have no node yet and
//! say the same machine the lowest one makes memory, the others fetch it, and all say whose memory they have. Who could not have it, for it is
//! on a copy of the machine or of another user, has a second chance with others like it in the next round, and memory of its own in the end.
//! Every rank so knows of every other one on which node it is, and all know the same.

use super::card::{self, Card};
use super::handover::{self, Door, Secret};
use super::{Manager, World, addresses};
use hpvm_wire::board::create_message_memory;
use hpvm_wire::devices::{self, Device};
use hpvm_wire::network::{At, Way};
use hpvm_wire::{Network, Place};
use mpi_fm::{Result, bail};
use parking_lot::Mutex;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;

/// What the ranks have made for each other.
pub struct Met {
    pub place: Place,
    pub network: Network,
    memory: Mutex<Option<OwnedFd>>,
    listener: Mutex<Option<TcpListener>>,
}

impl Met {
    /// The node's memory, once.
    pub fn memory(&self) -> Result<OwnedFd> {
        self.memory.lock().take().map_or_else(|| bail!(OTHER, "there is no shared memory on this node"), Ok)
    }

    /// This rank's listening socket, once.
    pub fn listener(&self) -> Result<OwnedFd> {
        self.listener.lock().take().map_or_else(|| bail!(OTHER, "there are ranks on other nodes, and no socket to listen at"), |one| Ok(one.into()))
    }
}

/// Meets the others.
///
/// # Errors
/// When the launcher does not do its part, or a rank says what it should not.
pub fn meet(manager: &dyn Manager) -> Result<Met> {
    let World { rank, size, .. } = manager.world();
    let secret = Secret::new().or_else(unprepared)?;
    // Without a door a rank shares memory with nobody, without a listener it is called by nobody: both may do.
    let door = Door::open(secret).ok();
    let listener = listen();
    let own = Card {
        machine: door.as_ref().map(|_| card::machine()).unwrap_or_default(),
        secret,
        port: listener.as_ref().and_then(|listener| listener.local_addr().ok()).map_or(0, |address| address.port()),
        addresses: addresses::own(),
    };
    manager.put("card", &own.to_text())?;
    if rank == 0 {
        let mut key = [0; 32];
        handover::random(&mut key).or_else(unprepared)?;
        manager.put("key", &Terms { key, encrypt: wants_encryption(), devices: wanted_devices()? }.to_text())?;
    }
    manager.fence()?;
    let cards = (0..size).map(|other| card_of(manager, other)).collect::<Result<Vec<_>>>()?;
    let Some(terms) = Terms::parse(&manager.get(0, "key")?) else { bail!(OTHER, "rank 0 has told no key of this library's version") };

    let (leaders, memory) = nodes(manager, &cards, door)?;
    let (place, nodes) = place(manager.world(), &leaders);
    let peers = (0..size as usize).map(|other| At {
        node: nodes[other],
        address: SocketAddr::new(way(&own, &cards[other]), cards[other].port),
        ways: terms.ways(&own, &cards[other]),
    });
    let peers: Vec<_> = peers.collect();
    let unreachable = |at: &&At| at.node != place.node && (at.address.port() == 0 || at.address.ip().is_unspecified());
    if let Some(at) = peers.iter().position(|at| unreachable(&at)) {
        bail!(OTHER, "rank {at} is on another machine, and has no address that this one could call: its card is {}", cards[at].to_text());
    }
    let network = terms.network(&own, peers);
    Ok(Met { place, network, memory: Mutex::new(memory), listener: Mutex::new(listener) })
}

fn unprepared<T>(error: io::Error) -> Result<T> {
    bail!(OTHER, "cannot prepare to meet the other ranks: {error}")
}

fn card_of(manager: &dyn Manager, rank: u32) -> Result<Card> {
    let text = manager.get(rank, "card")?;
    Card::parse(&text).map_or_else(|| bail!(OTHER, "rank {rank} cannot be met: {}", card::fault(&text)), Ok)
}

/// By rank: the lowest rank of its node; and this node's memory.
fn nodes(manager: &dyn Manager, cards: &[Card], door: Option<Door>) -> Result<(Vec<usize>, Option<OwnedFd>)> {
    let me = manager.world().rank as usize;
    let mut leaders: Vec<Option<usize>> = vec![None; cards.len()];
    let mut memory = None;
    for round in 0.. {
        let Some(lowest) = leaders.iter().position(Option::is_none) else { break };
        let beside = |one: usize, other: usize| !cards[one].machine.is_empty() && cards[one].machine == cards[other].machine;
        let (mut mine, mut leads) = (leaders[me], false);
        if mine.is_none() {
            let leader = (lowest..me).find(|other| leaders[*other].is_none() && beside(*other, me)).unwrap_or(me);
            leads = leader == me;
            memory = if leads { create_message_memory().ok() } else { handover::fetch(cards[leader].secret).ok() };
            mine = (leads || memory.is_some()).then_some(leader);
        }
        manager.put(&format!("node{round}"), &mine.map_or("none".into(), |leader| leader.to_string()))?;
        match (&door, &memory) {
            (Some(door), Some(memory)) if leads => serving(door, memory, || manager.fence())?,
            _ => manager.fence()?,
        }
        for (other, leader) in leaders.iter_mut().enumerate().filter(|(_, leader)| leader.is_none()) {
            let said = manager.get(other as u32, &format!("node{round}"))?;
            match said.parse() {
                Ok(its) if its <= other => *leader = Some(its),
                Err(_) if said == "none" && other != lowest => (),
                _ => bail!(OTHER, "rank {other} says that it is on the node of rank {said}"),
            }
        }
    }
    Ok((leaders.into_iter().flatten().collect(), memory))
}

/// Gives memory away while `during` runs.
fn serving<T>(door: &Door, memory: &OwnedFd, during: impl FnOnce() -> Result<T>) -> Result<T> {
    let Ok((stop, stopped)) = UnixStream::pair() else { bail!(OTHER, "there are no descriptors left") };
    thread::scope(|scope| {
        scope.spawn(|| door.serve(memory.as_fd(), &stopped));
        let result = during();
        drop(stop);
        result
    })
}

/// Where this rank is, and the number of each rank's node.
fn place(world: World, leaders: &[usize]) -> (Place, Vec<u32>) {
    let mut order: Vec<_> = leaders.to_vec();
    order.sort_unstable();
    order.dedup();
    let nodes: Vec<_> = leaders.iter().map(|leader| order.partition_point(|other| other < leader) as u32).collect();
    let node = nodes[world.rank as usize];
    let beside = |ranks: &[u32]| ranks.iter().filter(|other| **other == node).count() as u32;
    let place = Place {
        rank: world.rank,
        size: world.size,
        local_rank: beside(&nodes[..world.rank as usize]),
        local_size: beside(&nodes),
        node,
        appnum: world.appnum.unwrap_or(0).unsigned_abs(),
        universe_size: world.universe_size.map_or(world.size, i32::unsigned_abs),
    };
    (place, nodes)
}

/// Where a rank is called.
fn way(own: &Card, other: &Card) -> IpAddr {
    // One in the same network namespace has the same addresses, and none that only it has; a copy of the machine has others.
    let inside = !own.machine.is_empty() && own.machine == other.machine;
    let otherwise = if inside { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    addresses::choose(&own.addresses, &other.addresses).unwrap_or(otherwise.into())
}

/// At every address of this machine.
fn listen() -> Option<TcpListener> {
    let at = |ip: IpAddr| TcpListener::bind((ip, 0));
    at(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| at(Ipv4Addr::UNSPECIFIED.into())).ok()
}

/// What `hpvmrun` has an option for. Rank 0's environment counts, for all have to do alike.
fn wants_encryption() -> bool {
    std::env::var("HPVM_ENCRYPT").is_ok_and(|value| is_on(&value))
}

fn is_on(value: &str) -> bool {
    ["1", "true", "yes", "on"].contains(&value)
}

/// The devices that `HPVM_DEVICE` names, the preferred one first; rank 0's environment counts.
fn wanted_devices() -> Result<Vec<String>> {
    let text = std::env::var("HPVM_DEVICE").unwrap_or_default();
    let names: Vec<String> = text.split(',').filter(|name| !name.is_empty()).map(String::from).collect();
    match names.iter().find(|name| !devices::find(name).is_some_and(|device| device.built)) {
        Some(name) => bail!(OTHER, "HPVM_DEVICE={text}: this version has no device {name:?}"),
        None => Ok(names),
    }
}

/// What rank 0 decides for all.
struct Terms {
    /// The job's key.
    key: [u8; 32],
    /// Whether what goes over the network is encrypted.
    encrypt: bool,
    /// What may carry messages, the preferred one first; none: nothing was said.
    devices: Vec<String>,
}

impl Terms {
    fn to_text(&self) -> String {
        let mut text: String = self.key.iter().map(|byte| format!("{byte:02x}")).collect();
        if self.encrypt {
            text += ",encrypt";
        }
        self.devices.iter().for_each(|name| text.extend([",", name]));
        text
    }

    fn parse(text: &str) -> Option<Terms> {
        let mut words = text.split(',').peekable();
        let digits = words.next().filter(|digits| digits.len() == 64 && digits.is_ascii())?;
        let mut key = [0; 32];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        let encrypt = words.next_if_eq(&"encrypt").is_some();
        let devices = words.map(|name| devices::find(name).map(|device| device.name.into())).collect::<Option<_>>()?;
        Some(Terms { key, encrypt, devices })
    }

    /// Between nodes; those that do not encrypt are left out where that is asked for.
    fn between(&self) -> impl Iterator<Item = &'static Device> {
        let named = self.devices.iter().filter_map(|name| devices::find(name));
        let by_itself = devices::between_machines().filter(|device| device.by_itself && self.devices.is_empty());
        named.filter(|device| device.networks > 0).chain(by_itself).filter(|device| device.private || !self.encrypt)
    }

    /// What may carry messages to the rank with that card.
    fn ways(&self, own: &Card, other: &Card) -> Vec<Way> {
        let inside = !own.machine.is_empty() && own.machine == other.machine;
        let way = |device: &Device| {
            let loopback = || (1..=device.networks as u8).map(|last| Ipv4Addr::new(127, 0, 0, last).into()).collect();
            let addresses = if inside { loopback() } else { addresses::several(&own.addresses, &other.addresses, device.networks) };
            Way { device: device.name.into(), addresses }
        };
        self.between().map(way).collect()
    }

    fn network(self, own: &Card, peers: Vec<At>) -> Network {
        let own = |device: &Device| Way { device: device.name.into(), addresses: own.addresses.iter().map(|address| address.ip).collect() };
        let (cards, here) = (self.between().any(|device| device.cards), self.between().map(own).collect());
        let shared_memory = self.devices.is_empty() || self.devices.iter().any(|name| name == "smp");
        let explain = std::env::var("HPVM_EXPLAIN").is_ok_and(|value| is_on(&value));
        Network { key: self.key, encrypt: self.encrypt, shared_memory, cards, explain, here, peers }
    }
}

#[cfg(test)]
mod tests;
