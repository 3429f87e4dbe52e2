//! How a rank reaches the others: its devices, which of them leads to whom, and the way of waiting that goes with them.
//!
//! Ranks of the same node reach each other through its memory, the others through the network. A node is what the launcher
//! calls one, or what ranks of another launcher have found out ([`foreign`](crate::foreign)): both are [`Means`].
//!
//! 1. [`devices`]: the devices between nodes, and which of them is taken for each rank.
//! 2. [`cards`]: how ranks tell each other what they have, where that is needed.
//! 3. [`park`]: waiting for several devices.
//! 4. A module for each device that needs cards: [`servernet`], [`via`].

pub mod cards;
pub mod devices;
pub mod park;
pub mod servernet;
pub mod via;

use crate::foreign::Met;
use crate::host::{self, Machine};
use cards::Card;
use devices::{Choice, Contact, Setting, TABLE, Tried, Wired};
use fm::{Device, Park, Peer, Threading};
use hpvm_ip::{Ip, Key};
use hpvm_smp::Smp;
use hpvm_wire::network::At;
use hpvm_wire::{Network, Place, StartUp};
use mpi_fm::host::Host;
use mpi_fm::{Result, bail};
use park::WiredPark;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

pub struct Reach {
    pub devices: Vec<Arc<dyn Device>>,
    /// By peer: its device's index.
    pub route: Box<[u8]>,
    pub park: Arc<dyn Park>,
}

/// What a rank has been given to reach the others with.
pub trait Means {
    fn place(&self) -> Place;

    /// Where the others are; `None` when all are on this node.
    fn network(&self) -> Result<Option<Network>>;

    /// The node's memory. Once.
    fn memory(&self) -> Result<OwnedFd>;

    /// This rank's listening socket. Once.
    fn listener(&self) -> Result<OwnedFd>;
}

/// `hpvmrun` hands it down.
impl Means for StartUp {
    fn place(&self) -> Place {
        self.place
    }

    fn network(&self) -> Result<Option<Network>> {
        let Some(net) = &self.net else { return Ok(None) };
        let network = net.file.open(self.launcher_pid).and_then(Network::read);
        network.map(Some).or_else(|error| bail!(OTHER, "no description of the network from hpvmrun: {error}"))
    }

    fn memory(&self) -> Result<OwnedFd> {
        self.mem.open(self.launcher_pid).or_else(|error| bail!(OTHER, "no shared memory from hpvmrun: {error}"))
    }

    fn listener(&self) -> Result<OwnedFd> {
        let Some(net) = &self.net else { bail!(OTHER, "no socket to listen at from hpvmrun") };
        net.listener.open_socket(self.launcher_pid).or_else(|error| bail!(OTHER, "no socket to listen at from hpvmrun: {error}"))
    }
}

/// The ranks have made it themselves.
impl Means for Met {
    fn place(&self) -> Place {
        self.place
    }

    fn network(&self) -> Result<Option<Network>> {
        Ok(Some(self.network.clone()))
    }

    fn memory(&self) -> Result<OwnedFd> {
        Met::memory(self)
    }

    fn listener(&self) -> Result<OwnedFd> {
        Met::listener(self)
    }
}

/// Polls of the network are rarer beside shared memory: each is a system call.
const LOOK_EVERY: u32 = 8;

impl Reach {
    /// The devices of a rank that is not alone.
    ///
    /// # Errors
    /// `MPI_ERR_OTHER` when what the launcher has prepared cannot be used.
    pub fn of(means: &dyn Means, threading: Threading, host: &Arc<Machine>) -> Result<Reach> {
        let place = means.place();
        let size = place.size as usize;
        let Some(network) = network(means)? else {
            if place.local_size as usize != size {
                bail!(OTHER, "hpvmrun did not say where the ranks of other nodes are");
            }
            return Reach::of_one_node(means, threading);
        };

        let is_near = |at: &At| network.shared_memory && at.node == place.node;
        let near: Vec<Peer> = (0..).map(Peer).zip(&network.peers).filter(|(_, at)| is_near(at)).map(|(peer, _)| peer).collect();
        if near.len() == size {
            return Reach::of_one_node(means, threading);
        }
        let me = Peer(place.rank);
        let far: Vec<bool> = (0..).map(Peer).zip(&network.peers).map(|(peer, at)| peer != me && !is_near(at)).collect();
        let beside_memory = near.len() > 1;
        let wires = wires(means, &network, (threading, host), &far, if beside_memory { LOOK_EVERY } else { 1 })?;
        if !beside_memory {
            let (processes, cores) = (place.local_size as usize, hpvm_smp::cores_available());
            let park = match (&wires.internet, &wires.devices[..]) {
                (Some(ip), [_]) => ip.park(processes, cores).map(|park| Arc::new(park) as Arc<dyn Park>),
                _ => WiredPark::new(wires.devices.clone(), processes, cores).map(|park| Arc::new(park) as Arc<dyn Park>),
            };
            let park = park.or_else(|error| bail!(OTHER, "no way to wait for messages: {error}"))?;
            return Ok(Reach { devices: wires.devices.into_iter().map(|wired| wired as Arc<dyn Device>).collect(), route: wires.route, park });
        }
        let route = far.iter().zip(&wires.route).map(|(far, index)| if *far { index + 1 } else { 0 }).collect();
        let smp = shared_memory(means, near, threading)?;
        let wired = wires.devices.clone();
        let park = smp.park_beside(hpvm_smp::cores_limit(), Box::new(move |doorbell, limit| park::sleep(&wired, doorbell, limit)));
        let park = Arc::new(park.or_else(|error| bail!(OTHER, "no socket to be woken at: {error}"))?);
        let devices = [Arc::new(smp) as Arc<dyn Device>].into_iter().chain(wires.devices.into_iter().map(|wired| wired as Arc<dyn Device>));
        Ok(Reach { devices: devices.collect(), route, park })
    }

    fn of_one_node(means: &dyn Means, threading: Threading) -> Result<Reach> {
        let size = means.place().size;
        let smp = shared_memory(means, (0..size).map(Peer).collect(), threading)?;
        let park = Arc::new(smp.park(hpvm_smp::cores_limit()));
        Ok(Reach { devices: vec![Arc::new(smp)], route: vec![0; size as usize].into(), park })
    }
}

/// What is said of all ranks.
fn network(means: &dyn Means) -> Result<Option<Network>> {
    let Some(network) = means.network()? else { return Ok(None) };
    let (size, place) = (network.peers.len(), means.place());
    if size != place.size as usize || network.peers[place.rank as usize].node != place.node {
        bail!(OTHER, "hpvmrun describes a network of {size} ranks which is not that of rank {} of {}", place.rank, place.size);
    }
    Ok(Some(network))
}

/// The device to `peers`, those of this node in the order of their local ranks.
fn shared_memory(means: &dyn Means, peers: Vec<Peer>, threading: Threading) -> Result<Smp> {
    let memory = means.memory()?;
    Smp::attach(memory.as_fd(), means.place().local_rank, &peers, threading)
        .or_else(|error| bail!(OTHER, "shared memory cannot be used: {error}"))
}

/// The devices to ranks that this node's memory does not lead to.
struct Wires {
    devices: Vec<Arc<dyn Wired>>,
    /// By peer: its device's index; 0 for those that are near.
    route: Box<[u8]>,
    /// The one of them that this is, if it is there.
    internet: Option<Arc<Ip>>,
}

fn wires(means: &dyn Means, network: &Network, (threading, host): (Threading, &Arc<Machine>), far: &[bool], look_every: u32) -> Result<Wires> {
    let listener = TcpListener::from(means.listener()?);
    let me = Peer(means.place().rank);
    let setting = Setting { me, network, addresses: &[], threading, host, look_every };
    let (tried, cards) = if network.cards { known(&listener, &setting, far)? } else { (Vec::new(), Vec::new()) };
    let choices = devices::choose(network, far, &tried, &cards)?;
    if network.explain && means.place().local_rank == 0 {
        devices::surprises(network, &choices, &cards, me).iter().for_each(|line| eprintln!("hpvm: {line}"));
    }
    let users = |name: &str| choices.iter().map(|choice| choice.as_ref().is_some_and(|choice| choice.way.device == name)).collect::<Vec<_>>();
    let mut wires = Wires { devices: Vec::new(), route: vec![0; far.len()].into(), internet: None };
    for Tried { name, outcome } in tried {
        let users = users(name);
        let Some(candidate) = outcome.ok().filter(|_| users.contains(&true)) else { continue };
        let contact = |(peer, choice): (usize, &Option<Choice>)| {
            let choice = choice.as_ref().filter(|_| users[peer])?;
            let card = cards[peer].entry(name)?.as_ref().ok()?.clone();
            Some(Contact { card, addresses: choice.way.addresses.clone() })
        };
        wires.add(candidate.join(choices.iter().enumerate().map(contact).collect())?, &users);
    }
    let users = users("ip");
    if users.contains(&true) {
        let ip = Arc::new(internet(listener, me, network, host, look_every)?);
        wires.add(ip.clone(), &users);
        wires.internet = Some(ip);
    }
    Ok(wires)
}

/// Tries the devices that need cards, and exchanges those.
fn known(listener: &TcpListener, setting: &Setting, far: &[bool]) -> Result<(Vec<Tried>, Vec<Card>)> {
    // From now on others wait for this rank: its end is theirs.
    setting.host.initialised();
    let tried = devices::try_all(TABLE, far, setting);
    let own = devices::card(&host::node_name(), &tried);
    let cards = cards::exchange(listener, setting.network, setting.me.0, &own)?;
    Ok((tried, cards))
}

impl Wires {
    fn add(&mut self, device: Arc<dyn Wired>, users: &[bool]) {
        let index = self.devices.len() as u8;
        self.devices.push(device);
        self.route.iter_mut().zip(users).filter(|(_, uses)| **uses).for_each(|(route, _)| *route = index);
    }
}

impl Wired for Ip {
    fn descriptor(&self) -> BorrowedFd<'_> {
        Ip::descriptor(self)
    }

    fn limit(&self) -> Option<Duration> {
        Ip::limit(self)
    }
}

/// The device to everybody.
fn internet(listener: TcpListener, me: Peer, network: &Network, host: &Arc<Machine>, look_every: u32) -> Result<Ip> {
    let addresses: Box<[_]> = network.peers.iter().map(|at| at.address).collect();
    let (said, out) = (addresses.clone(), Arc::clone(host));
    let tell = move |peer: Peer, what: &str| {
        eprintln!("hpvm: rank {}: rank {} at {} cannot be reached: {what}", me.0, peer.0, said[peer.index()]);
        out.abort(1)
    };
    let network = hpvm_ip::Network {
        me,
        key: Key(network.key),
        encrypt: network.encrypt,
        addresses,
        listener,
        look_every,
        tell: Box::new(tell),
        log: Box::new(move |what| eprintln!("hpvm: rank {}: {what}", me.0)),
    };
    Ip::new(network).or_else(|error| bail!(OTHER, "the network cannot be used: {error}"))
}
