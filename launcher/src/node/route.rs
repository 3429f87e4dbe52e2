//! Which device carries the messages of two ranks, and why no other does.
//!
//! On one machine that is its memory. Between machines it is the first network of the machine file that both are attached to, and the first
//! device of that network that this version has and `--device` allows. A machine of which no network is known is taken to be attached to all.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::machines::{Machine, NETWORK_DEVICES, Network, range};
use crate::options::Devices;

/// The device that this version has between machines.
const IP: &str = "ip";

/// How messages go, and why not otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The index of the network, if the machine file names one.
    network: Option<usize>,
    /// `ip over NETWORK`, or `None` if nothing is left.
    way: Option<String>,
    /// A line for each way that was not chosen.
    others: Vec<String>,
}

/// Between two machines.
fn between(one: &Machine, other: &Machine, networks: &[Network], devices: Devices) -> Route {
    let mut route = Route { network: None, way: None, others: vec!["smp: they share no memory".into()] };
    let left_out = |way: &str| format!("{way}: --device does not name it");
    let mut named: Vec<&str> = vec![IP];
    if one.networks.is_empty() || other.networks.is_empty() {
        match devices.ip {
            true => route.way = Some("ip".into()),
            false => route.others.push(left_out(IP)),
        }
    }
    let is_attached = |machine: &Machine, network: usize| machine.networks.iter().any(|(index, _)| *index == network);
    for (index, network) in networks.iter().enumerate() {
        match (is_attached(one, index), is_attached(other, index)) {
            (true, true) => (),
            (false, false) => continue,
            // Where one has networks and the other has not, the address that holds everywhere is taken.
            _ if route.way.is_some() && route.network.is_none() => continue,
            _ => {
                route.others.push(format!("network {}: one of them is not attached to it", network.name));
                continue;
            }
        }
        for device in &network.devices {
            let way = format!("{device} over {}", network.name);
            named.push(device);
            match &route.way {
                _ if device != IP => route.others.push(format!("{way}: this version does not have it")),
                _ if !devices.ip => route.others.push(left_out(&way)),
                Some(chosen) => route.others.push(format!("{way}: {chosen} comes before it")),
                None => (route.way, route.network) = (Some(way), Some(index)),
            }
        }
    }
    let rest: Vec<&str> = NETWORK_DEVICES.into_iter().filter(|device| !named.contains(device)).collect();
    if !rest.is_empty() {
        route.others.push(format!("{}: this version does not have {}", rest.join(", "), if rest.len() == 1 { "it" } else { "them" }));
    }
    route
}

/// Where ranks on `from` reach those on `to`, as far as the machine file says so: the network is the one that [`between`] chooses.
pub fn address(from: &Machine, to: &Machine, networks: &[Network]) -> Option<IpAddr> {
    let is_common = |index: usize| from.networks.iter().any(|(other, _)| *other == index);
    let has_ip = |index: usize| networks[index].devices.iter().any(|device| device == IP);
    let chosen = to.networks.iter().find(|(index, _)| is_common(*index) && has_ip(*index));
    chosen.and_then(|(_, address)| *address).or(to.advertise)
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
pub fn check(machines: &[Machine], networks: &[Network], devices: Devices) -> Result<(), String> {
    for (name, one, other) in pairs(&alike(machines)) {
        let route = between(one, other, networks, devices);
        if route.way.is_none() {
            return Err(format!("{name} no device can carry messages:\n    {}", route.others.join("\n    ")));
        }
    }
    Ok(())
}

/// For all pairs. No machines stand for this one alone; `several` ranks share one.
pub fn explain(machines: &[Machine], networks: &[Network], devices: Devices, several: bool) -> String {
    let mut text = String::new();
    let mut say = |name: &str, way: &str, others: &[String]| {
        let _ = writeln!(text, "{name}: {way}");
        for line in others {
            let _ = writeln!(text, "    not {line}");
        }
    };
    if several {
        match devices {
            Devices { smp: true, ip } => {
                let why = if ip { "smp comes before it" } else { "--device does not name it" };
                say("between ranks of one machine", "smp", &[format!("ip: {why}")]);
            }
            Devices { smp: false, .. } => say("between ranks of one machine", "ip", &["smp: --device does not name it".into()]),
        }
    }
    for (name, one, other) in pairs(&alike(machines)) {
        let route = between(one, other, networks, devices);
        say(&name, route.way.as_deref().unwrap_or("nothing"), &route.others);
    }
    text
}

#[cfg(test)]
mod tests;
