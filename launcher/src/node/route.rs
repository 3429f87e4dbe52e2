//! Which devices may carry the messages of two ranks, in which order, and why no others do.
//!
//! On one machine that is its memory. Between machines it is the first network of the machine file that both are attached to, and the first
//! device of that network that this version has and `--device` allows. A machine of which no network is known is taken to be attached to all.
//! A network of which no devices are said carries `ip`, and whatever `--device` asks for; where that names several, their order counts.
//!
//! Whether a device then works is for the ranks to find out: one that does not is passed over, and the next one of the list is taken.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use hpvm_wire::devices::{self, Device, DEVICES};
use hpvm_wire::network;

use super::machines::{Machine, Network, range};
use crate::options::{Devices, SMP};

/// What is there where nothing is said.
const IP: &str = "ip";

/// How messages go, and why not otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The preferred one first.
    ways: Vec<Way>,
    /// A line for each way that was not chosen.
    others: Vec<String>,
}

/// A device, over these networks of the machine file, or over what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    device: &'static Device,
    networks: Vec<usize>,
}

impl Way {
    fn text(&self, networks: &[Network]) -> String {
        let names: Vec<&str> = self.networks.iter().map(|index| networks[*index].name.as_str()).collect();
        if names.is_empty() { self.device.name.into() } else { format!("{} over {}", self.device.name, names.join(" and ")) }
    }
}

impl Route {
    fn has(&self, device: &Device) -> bool {
        self.ways.iter().any(|way| way.device == device)
    }

    fn chosen(&self, networks: &[Network]) -> Option<String> {
        self.ways.first().map(|way| way.text(networks))
    }
}

/// The devices that a network offers, the preferred one first.
fn offered(network: &Network, devices: &Devices) -> Vec<&'static Device> {
    match (network.devices.is_empty(), devices.named.is_empty()) {
        (false, _) => network.devices.clone(),
        (true, true) => devices::find(IP).into_iter().collect(),
        (true, false) => devices::between_machines().filter(|device| device.name == IP || devices.named.contains(device)).collect(),
    }
}

fn is_attached(machine: &Machine, network: usize) -> bool {
    machine.networks.iter().any(|(index, _)| *index == network)
}

/// Between two machines.
fn between(one: &Machine, other: &Machine, networks: &[Network], devices: &Devices) -> Route {
    let mut route = Route { ways: Vec::new(), others: vec!["smp: they share no memory".into()] };
    let usable = |device: &Device| device.built && devices.refuse(device).is_none();
    let is_unknown = one.networks.is_empty() || other.networks.is_empty();
    if is_unknown {
        let said = devices.named.iter().copied().filter(|device| device.networks > 0 && usable(device));
        let by_itself = devices::find(IP).filter(|ip| devices.named.is_empty() && usable(ip));
        route.ways = said.chain(by_itself).map(|device| Way { device, networks: Vec::new() }).collect();
    }
    let is_common = |index: &usize| is_attached(one, *index) && is_attached(other, *index);
    let common: Vec<usize> = (0..networks.len()).filter(is_common).collect();
    // In the order of networks, and there in that of devices; or as the user has ordered them.
    let offers = common.iter().flat_map(|index| offered(&networks[*index], devices).into_iter().map(|device| (device, *index)));
    let mut offers: Vec<(&'static Device, usize)> = offers.filter(|(device, _)| usable(device)).collect();
    offers.sort_by_key(|(device, _)| devices.named.iter().position(|named| named == device));
    for (device, index) in offers {
        match route.ways.iter_mut().find(|way| way.device == device) {
            Some(way) if !is_unknown && way.networks.len() < device.networks => way.networks.push(index),
            Some(_) => (),
            None => route.ways.push(Way { device, networks: vec![index] }),
        }
    }
    explain_others(&mut route, [one, other], networks, devices, is_unknown);
    route
}

/// A line for each network and device that is not used.
fn explain_others(route: &mut Route, pair: [&Machine; 2], networks: &[Network], devices: &Devices, is_unknown: bool) {
    let chosen = route.chosen(networks);
    let mut named: Vec<&Device> = Vec::new();
    for (index, network) in networks.iter().enumerate() {
        match pair.map(|machine| is_attached(machine, index)) {
            [true, true] => (),
            [false, false] => continue,
            // Where one has networks and the other has not, the address that holds everywhere is taken.
            _ if is_unknown => continue,
            _ => {
                route.others.push(format!("network {}: one of them is not attached to it", network.name));
                continue;
            }
        }
        for device in offered(network, devices) {
            let way = format!("{} over {}", device.name, network.name);
            named.push(device);
            let is_chosen = route.ways.first().is_some_and(|first| first.device == device && first.networks.contains(&index));
            match (devices.refuse(device), &chosen) {
                _ if !device.built => route.others.push(format!("{way}: this version does not have it")),
                (Some(why), _) => route.others.push(format!("{way}: {why}")),
                (None, Some(chosen)) if !is_chosen => route.others.push(format!("{way}: {chosen} comes before it")),
                (None, _) => (),
            }
        }
    }
    let mut missing: Vec<&str> = Vec::new();
    for device in devices::between_machines().filter(|device| !named.contains(device)) {
        let is_used = route.has(device);
        match (devices.refuse(device), &chosen) {
            _ if !device.built => missing.push(device.name),
            (Some(why), _) => route.others.push(format!("{}: {why}", device.name)),
            (None, Some(chosen)) if is_used && route.ways[0].device != device => route.others.push(format!("{}: {chosen} comes before it", device.name)),
            (None, _) if is_used => (),
            (None, _) if devices.named.is_empty() && !device.by_itself => {
                route.others.push(format!("{}: neither --device nor the machine file names it", device.name));
            }
            (None, _) => route.others.push(format!("{}: no network that they share has it", device.name)),
        }
    }
    if !missing.is_empty() {
        let them = if missing.len() == 1 { "it" } else { "them" };
        route.others.push(format!("{}: this version does not have {them}", missing.join(", ")));
    }
}

/// Where ranks on `from` reach those on `to` by TCP, as far as the machine file says so: in a network that carries `ip` if there is one.
pub fn address(from: &Machine, to: &Machine, networks: &[Network]) -> Option<IpAddr> {
    let common = || to.networks.iter().filter(|(index, _)| is_attached(from, *index));
    let has_ip = |index: usize| offered(&networks[index], &Devices::default()).iter().any(|device| device.name == IP);
    let chosen = common().find(|(index, _)| has_ip(*index)).or_else(|| common().find(|(_, address)| address.is_some()));
    chosen.and_then(|(_, address)| *address).or(to.advertise)
}

/// The addresses of a machine in the networks of a way; where the machine file has none, the one that it is reached at.
fn addresses(machine: &Machine, way: &Way, otherwise: IpAddr) -> Vec<IpAddr> {
    let in_network = |index: &usize| machine.networks.iter().find(|(network, _)| network == index).and_then(|(_, address)| *address);
    let found: Vec<IpAddr> = way.networks.iter().filter_map(in_network).collect();
    if found.is_empty() { vec![otherwise] } else { found }
}

/// What may carry messages from `from` to `to`, with the addresses of each; `at` is where the two are reached otherwise. And with those of `from`.
pub fn ways(pair: [&Machine; 2], at: [IpAddr; 2], networks: &[Network], devices: &Devices) -> [Vec<network::Way>; 2] {
    let route = between(pair[0], pair[1], networks, devices);
    let way = |end: usize| {
        let way = |way: &Way| network::Way { device: way.device.name.into(), addresses: addresses(pair[end], way, at[end]) };
        route.ways.iter().map(way).collect()
    };
    [way(0), way(1)]
}

/// The same between ranks of one machine that do not use its memory: over networks that it has with itself.
pub fn inside(devices: &Devices) -> Vec<network::Way> {
    let usable = |device: &&'static Device| device.networks > 0 && device.built && devices.refuse(device).is_none();
    let loopback = |device: &'static Device| (1..=device.networks as u8).map(|number| Ipv4Addr::new(127, 0, 0, number).into()).collect();
    devices.named.iter().copied().filter(usable).map(|device| network::Way { device: device.name.into(), addresses: loopback(device) }).collect()
}

/// Whether ranks have to tell each other how they are reached by one of these.
pub fn need_cards<'w>(mut ways: impl Iterator<Item = &'w network::Way>) -> bool {
    ways.any(|way| devices::find(&way.device).is_some_and(|device| device.cards))
}

/// Machines that are attached alike; what holds for one of them holds for all.
fn alike(machines: &[Machine]) -> Vec<Vec<&Machine>> {
    let attached = |machine: &Machine| machine.networks.iter().map(|(network, _)| *network).collect::<Vec<_>>();
    let mut groups: Vec<Vec<&Machine>> = Vec::new();
    for machine in machines {
        match groups.iter_mut().find(|group| attached(group[0]) == attached(machine)) {
            Some(group) => group.push(machine),
            None => groups.push(vec![machine]),
        }
    }
    groups
}

/// Every pair of groups, and a group with itself if it has pairs; with a name for it and two machines of which it holds.
fn pairs<'a>(groups: &'a [Vec<&'a Machine>]) -> impl Iterator<Item = (String, &'a Machine, &'a Machine)> {
    let names = |group: &[&Machine]| range::fold(group.iter().map(|machine| machine.name.as_str()));
    groups.iter().enumerate().flat_map(move |(at, group)| {
        let within = match group[..] {
            [] | [_] => None,
            [one, other] => Some((format!("between {} and {}", one.name, other.name), one, other)),
            [one, other, ..] => Some((format!("between any two of {}", names(group)), one, other)),
        };
        let others = groups[at + 1..].iter().map(move |other| (format!("between {} and {}", names(group), names(other)), group[0], other[0]));
        within.into_iter().chain(others)
    })
}

/// That messages can go between all of them.
pub fn check(machines: &[Machine], networks: &[Network], devices: &Devices) -> Result<(), String> {
    for (name, one, other) in pairs(&alike(machines)) {
        let route = between(one, other, networks, devices);
        if route.ways.is_empty() {
            return Err(format!("{name} no device can carry messages:\n    {}", route.others.join("\n    ")));
        }
    }
    Ok(())
}

/// The devices that carry messages between these machines, or between ranks of one that do not use its memory: for people.
pub fn carriers(machines: &[Machine], networks: &[Network], devices: &Devices) -> String {
    let own = || devices.named.iter().copied().filter(|device| device.networks > 0).take(1);
    let mut found: Vec<&Device> = if machines.len() < 2 { own().collect() } else { Vec::new() };
    for (_, one, other) in pairs(&alike(machines)) {
        let first = between(one, other, networks, devices).ways.into_iter().next().map(|way| way.device);
        found.extend(first.filter(|first| !found.contains(first)));
    }
    found.iter().map(|device| format!("{} ({})", device.what, device.name)).collect::<Vec<_>>().join(" or ")
}

/// For all pairs. No machines stand for this one alone; `several` ranks share one.
pub fn explain(machines: &[Machine], networks: &[Network], devices: &Devices, several: bool) -> String {
    let mut text = String::new();
    let mut say = |name: &str, way: &str, others: &[String]| {
        let _ = writeln!(text, "{name}: {way}");
        for line in others {
            let _ = writeln!(text, "    not {line}");
        }
    };
    if several {
        let (mut left, mut others): (Vec<&str>, Vec<String>) = (devices.named.iter().map(|device| device.name).filter(|name| *name != SMP).collect(), Vec::new());
        match devices.smp() {
            true => left.insert(0, SMP),
            false => others.push("smp: --device does not name it".into()),
        }
        if devices.named.is_empty() {
            left.push(IP);
        }
        let first = left.first().copied().unwrap_or("nothing");
        others.extend(left.iter().skip(1).map(|name| format!("{name}: {first} comes before it")));
        let unnamed = DEVICES.iter().filter(|device| device.built && device.by_itself && device.networks > 0 && !left.contains(&device.name));
        others.extend(unnamed.map(|device| format!("{}: --device does not name it", device.name)));
        say("between ranks of one machine", first, &others);
    }
    for (name, one, other) in pairs(&alike(machines)) {
        let route = between(one, other, networks, devices);
        say(&name, route.chosen(networks).as_deref().unwrap_or("nothing"), &route.others);
    }
    text
}

#[cfg(test)]
mod tests;
