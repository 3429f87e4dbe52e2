//! The machine file. `docs/machines.md` describes it field by field, `config/machines.example.toml` shows it.
//!
//! Two steps: serde takes the text apart, and every value keeps its place; then [`build`](Builder) expands ranges, fills in what
//! `[defaults]` says, and looks whether the parts fit together.

use std::ops::Range;
use std::path::Path;

use hpvm_wire::devices;
use serde::Deserialize;
use toml::Spanned;

use super::fault::Fault;
use super::values::{Command, Count, Networks, Text, Words, check_name, ip_address};
use super::{Catalogue, Machine, Network, PORT, Service, Site, default_ssh, range};
use crate::options::suggest::nearest;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ssh: Option<Spanned<Command>>,
    defaults: Option<Settings>,
    #[serde(default)]
    network: Vec<NetworkTable>,
    #[serde(default)]
    site: Vec<SiteTable>,
    #[serde(default)]
    machine: Vec<Spanned<Settings>>,
}

/// `[[machine]]`, or `[defaults]`, which has all of it but what distinguishes machines.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    name: Option<Spanned<Text>>,
    address: Option<Spanned<Text>>,
    advertise: Option<Spanned<Text>>,
    ssh: Option<Command>,
    ssh_options: Option<Words>,
    slots: Option<Spanned<Count>>,
    max_slots: Option<Spanned<Count>>,
    hpvmd: Option<Text>,
    start: Option<Spanned<Text>>,
    host_key: Option<Spanned<Text>>,
    port: Option<Spanned<Count>>,
    key: Option<Text>,
    labels: Option<Spanned<Words>>,
    networks: Option<Spanned<Networks>>,
    site: Option<Spanned<Text>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    name: Spanned<Text>,
    devices: Option<Spanned<Words>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteTable {
    name: Spanned<Text>,
    gateway: Option<Spanned<Text>>,
    address: Option<Spanned<Text>>,
}

/// Reads a machine file that stands in `folder`. `own` are the names of this machine.
pub fn parse(text: &str, folder: &Path, own: &[String]) -> Result<Catalogue, Fault> {
    let file: File = toml::from_str(text).map_err(|error| in_words(&error, text))?;
    let builder = Builder { folder, own, networks: networks(&file.network)?, sites: sites(&file.site)?, defaults: defaults(&file)? };
    let mut machines: Vec<(Machine, Range<usize>)> = Vec::new();
    for table in &file.machine {
        let at = table.get_ref().name.as_ref().map_or(table.span(), Spanned::span);
        for machine in builder.machines(table)? {
            machines.push((machine, at.clone()));
        }
    }
    if machines.is_empty() {
        return Err(Fault::of_all("it names no machine: expected [[machine]] and below it name = \"…\""));
    }
    differ(machines.iter().map(|(machine, at)| (machine.name.as_str(), at.clone())), "machine")?;
    let machines: Vec<Machine> = machines.into_iter().map(|(machine, _)| machine).collect();
    gateways(&file.site, &machines)?;
    Ok(Catalogue { machines, networks: builder.networks, sites: builder.sites })
}

/// What `[defaults]` says, and `ssh` above it.
fn defaults(file: &File) -> Result<Settings, Fault> {
    let mut defaults = Settings::default();
    if let Some(given) = &file.defaults {
        for (key, value) in [("name", &given.name), ("address", &given.address), ("advertise", &given.advertise)] {
            if let Some(value) = value {
                return Err(Fault::new(format!("{key} stands below [[machine]]: it is no machine's default"), value.span()));
            }
        }
        defaults = Settings {
            ssh: given.ssh.clone(),
            ssh_options: given.ssh_options.clone(),
            slots: given.slots.clone(),
            max_slots: given.max_slots.clone(),
            hpvmd: given.hpvmd.clone(),
            start: given.start.clone(),
            host_key: given.host_key.clone(),
            port: given.port.clone(),
            key: given.key.clone(),
            labels: given.labels.clone(),
            networks: given.networks.clone(),
            site: given.site.clone(),
            ..Settings::default()
        };
    }
    match &file.ssh {
        Some(ssh) if defaults.ssh.is_some() => Err(Fault::new("ssh is given here and in [defaults]: expected one of them", ssh.span())),
        Some(ssh) => Ok(Settings { ssh: Some(ssh.get_ref().clone()), ..defaults }),
        None => Ok(defaults),
    }
}

fn networks(tables: &[NetworkTable]) -> Result<Vec<Network>, Fault> {
    differ(tables.iter().map(|table| (table.name.get_ref().0.as_str(), table.name.span())), "network")?;
    let network = |table: &NetworkTable| {
        let name = &table.name.get_ref().0;
        check_name(name).map_err(|why| Fault::new(why, table.name.span()))?;
        let Some(named) = &table.devices else { return Ok(Network { name: name.clone(), devices: Vec::new() }) };
        let known = || devices::between_machines().map(|device| device.name);
        if named.get_ref().0.is_empty() {
            return Err(Fault::new(format!("expected the devices of {name}, found none; possible: {}", known().collect::<Vec<_>>().join(", ")), named.span()));
        }
        let device = |word: &String| match devices::find(word) {
            Some(device) if device.networks > 0 => Ok(device),
            Some(_) => Err(Fault::new(format!("expected devices between machines, found {word:?}, which is the memory of one"), named.span())),
            None => Err(Fault::new(not_there("device", word, known()), named.span())),
        };
        let devices = named.get_ref().0.iter().map(device).collect::<Result<_, _>>()?;
        Ok(Network { name: name.clone(), devices })
    };
    tables.iter().map(network).collect()
}

fn sites(tables: &[SiteTable]) -> Result<Vec<Site>, Fault> {
    differ(tables.iter().map(|table| (table.name.get_ref().0.as_str(), table.name.span())), "site")?;
    let text = |text: &Option<Spanned<Text>>| text.as_ref().map(|text| text.get_ref().0.clone());
    let site = |table: &SiteTable| {
        check_name(&table.name.get_ref().0).map_err(|why| Fault::new(why, table.name.span()))?;
        Ok(Site { name: table.name.get_ref().0.clone(), gateway: text(&table.gateway), address: text(&table.address) })
    };
    tables.iter().map(site).collect()
}

/// A gateway is a machine of its site.
fn gateways(tables: &[SiteTable], machines: &[Machine]) -> Result<(), Fault> {
    for (table, gateway) in tables.iter().filter_map(|table| Some((table, table.gateway.as_ref()?))) {
        let (site, name) = (&table.name.get_ref().0, &gateway.get_ref().0);
        match machines.iter().find(|machine| machine.name == *name) {
            None => return Err(Fault::new(not_there("machine", name, machines.iter().map(|one| one.name.as_str())), gateway.span())),
            Some(machine) if machine.site.as_ref() != Some(site) => {
                return Err(Fault::new(format!("the gateway of {site} is one of its machines, and {name} has no site = {site:?}"), gateway.span()));
            }
            Some(_) => (),
        }
    }
    Ok(())
}

struct Builder<'a> {
    folder: &'a Path,
    own: &'a [String],
    networks: Vec<Network>,
    sites: Vec<Site>,
    defaults: Settings,
}

impl Builder<'_> {
    /// The machines of one table: as many as its name stands for.
    fn machines(&self, table: &Spanned<Settings>) -> Result<Vec<Machine>, Fault> {
        let (given, other) = (table.get_ref(), &self.defaults);
        let name = given.name.as_ref().ok_or_else(|| Fault::new("expected a name below [[machine]]: name = \"…\"", table.span()))?;
        let names = range::expand(&name.get_ref().0).map_err(|why| Fault::new(why, name.span()))?;
        names.iter().try_for_each(|name| check_name(name)).map_err(|why| Fault::new(why, name.span()))?;
        let addresses = match &given.address {
            None => names.clone(),
            Some(address) => each(&address.get_ref().0, names.len(), address.span())?,
        };
        for address in &addresses {
            if let Err(why) = check_name(address) {
                return Err(Fault::new(why, given.address.as_ref().map_or(name.span(), Spanned::span)));
            }
        }
        let advertised = given.advertise.as_ref().map(|text| each_ip(&text.get_ref().0, names.len(), text.span())).transpose()?;
        let slots = given.slots.as_ref().or(other.slots.as_ref());
        let max_slots = given.max_slots.as_ref().or(other.max_slots.as_ref());
        let (slots_or_one, at) = slots.map_or((1, 0..0), |slots| (slots.get_ref().0, slots.span()));
        if let Some(most) = max_slots.map(|most| most.get_ref().0).filter(|most| *most < slots_or_one) {
            return Err(Fault::new(format!("expected slots of at most {most}, which is max-slots, found {slots_or_one}"), at));
        }
        let networks = self.networks_of(given, names.len())?;
        let labels = given.labels.as_ref().or(other.labels.as_ref());
        for label in labels.map_or(&[][..], |labels| &labels.get_ref().0) {
            check_name(label).map_err(|why| Fault::new(why, labels.map_or(0..0, Spanned::span)))?;
        }
        let site = given.site.as_ref().or(other.site.as_ref());
        if let Some(site) = site.filter(|site| !self.sites.iter().any(|known| known.name == site.get_ref().0)) {
            return Err(Fault::new(not_there("site", &site.get_ref().0, self.sites.iter().map(|known| known.name.as_str())), site.span()));
        }
        let hpvmd = given.hpvmd.as_ref().or(other.hpvmd.as_ref()).map(|path| self.folder.join(&path.0));
        let ssh = self.ssh(given);
        let service = self.service(given)?;
        let machine = |(index, (name, address)): (usize, (String, String))| {
            // Whoever wants the service has it on this machine, too.
            let is_here = [&name, &address].into_iter().any(|called| self.own.contains(called)) && !service.as_ref().is_some_and(|service| service.only);
            Machine {
                ssh: if is_here { Vec::new() } else { ssh.clone() },
                advertise: advertised.as_ref().map(|list| list[index]),
                slots: slots_or_one,
                max_slots: max_slots.map(|most| most.get_ref().0),
                hpvmd: hpvmd.clone(),
                service: service.clone().filter(|_| !is_here),
                by_srun: false,
                labels: labels.map_or(Vec::new(), |labels| labels.get_ref().0.clone()),
                networks: networks.iter().map(|(network, list)| (*network, list.as_ref().map(|list| list[index]))).collect(),
                site: site.map(|site| site.get_ref().0.clone()),
                name,
                address,
            }
        };
        Ok(names.into_iter().zip(addresses).enumerate().map(machine).collect())
    }

    /// ssh takes the first of several options that contradict each other: the machine's come before those of all.
    fn ssh(&self, given: &Settings) -> Vec<String> {
        let own_default = default_ssh();
        let command = given.ssh.as_ref().or(self.defaults.ssh.as_ref());
        let (program, last) = command.map_or_else(|| own_default.split_at(1), |command| (command.0.as_slice(), &[][..]));
        let options = [given, &self.defaults].into_iter().filter_map(|one| one.ssh_options.as_ref()).flat_map(|words| &words.0);
        program.iter().chain(options).chain(last).cloned().collect()
    }

    /// The service that may be called instead of ssh.
    fn service(&self, given: &Settings) -> Result<Option<Service>, Fault> {
        let other = &self.defaults;
        let port = given.port.as_ref().or(other.port.as_ref());
        let number = port.map_or(Ok(PORT), |port| {
            let number = port.get_ref().0;
            number.try_into().map_err(|_| Fault::new(format!("expected a port of at most 65535, found {number}"), port.span()))
        })?;
        let (start, key) = (given.start.as_ref().or(other.start.as_ref()), given.host_key.as_ref().or(other.host_key.as_ref()));
        let only = match start.map(|start| start.get_ref().0.as_str()) {
            Some("ssh") => return Ok(None),
            Some("daemon") => true,
            Some("either") | None => false,
            Some(found) => return Err(Fault::new(format!("expected ssh, daemon or either, found {found:?}"), start.map_or(0..0, Spanned::span))),
        };
        let Some(host_key) = key else {
            let needed = |start: &Spanned<Text>| Fault::new("expected a host-key beside it, which hpvmd --system says when it starts, found none", start.span());
            return start.map_or(Ok(None), |start| Err(needed(start)));
        };
        let parsed = host_key.get_ref().0.parse().map_err(|why: String| Fault::new(why, host_key.span()))?;
        let own = given.key.as_ref().or(other.key.as_ref()).map(|path| self.folder.join(&path.0));
        Ok(Some(Service { host_key: parsed, port: number, only, key: own, at: None }))
    }

    /// By network, in the order of the file: the addresses of `count` machines.
    #[allow(clippy::type_complexity)] // Named nowhere else.
    fn networks_of(&self, given: &Settings, count: usize) -> Result<Vec<(usize, Option<Vec<std::net::IpAddr>>)>, Fault> {
        let Some(networks) = given.networks.as_ref().or(self.defaults.networks.as_ref()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (name, address) in &networks.get_ref().0 {
            let known = self.networks.iter().position(|network| network.name == *name);
            let known = known.ok_or_else(|| {
                Fault::new(not_there("network", name, self.networks.iter().map(|network| network.name.as_str())), networks.span())
            })?;
            let addresses = address.as_ref().map(|address| each_ip(address, count, networks.span())).transpose()?;
            found.push((known, addresses));
        }
        found.sort_by_key(|(network, _)| *network);
        match found.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Fault::new(format!("the network {} is there twice", self.networks[pair[0].0].name), networks.span())),
            None => Ok(found),
        }
    }
}

/// What stands for each of `count` machines.
fn each(pattern: &str, count: usize, at: Range<usize>) -> Result<Vec<String>, Fault> {
    let texts = if is_bracketed_ip(pattern) { vec![pattern[1..pattern.len() - 1].to_owned()] } else { range::expand(pattern).map_err(|why| Fault::new(why, at.clone()))? };
    if texts.len() != count {
        return Err(Fault::new(format!("expected as many addresses as names, which are {count}, found {}", texts.len()), at));
    }
    Ok(texts)
}

/// `[2001:db8::1]`, as in a URL; its brackets are no range.
fn is_bracketed_ip(text: &str) -> bool {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inside| inside.parse::<std::net::Ipv6Addr>().is_ok())
}

fn each_ip(pattern: &str, count: usize, at: Range<usize>) -> Result<Vec<std::net::IpAddr>, Fault> {
    let texts = each(pattern, count, at.clone())?;
    texts.iter().map(|text| ip_address(text).map_err(|why| Fault::new(why, at.clone()))).collect()
}

fn differ<'a>(names: impl Iterator<Item = (&'a str, Range<usize>)>, what: &str) -> Result<(), Fault> {
    let mut seen = std::collections::HashSet::new();
    for (name, at) in names {
        if !seen.insert(name) {
            return Err(Fault::new(format!("the {what} {name} is there twice"), at));
        }
    }
    Ok(())
}

fn not_there<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("there is no {what} {name:?}: did you mean {near:?}?"),
        None => match range::fold(known) {
            known if known.is_empty() => format!("there is no {what} {name:?}: [[{what}]] tables would say which there are"),
            known => format!("there is no {what} {name:?}; there are: {known}"),
        },
    }
}

/// What serde or the TOML parser says.
fn in_words(error: &toml::de::Error, text: &str) -> Fault {
    let message = error.message();
    let place = error.span().unwrap_or(0..0);
    let said = if let Some(rest) = message.strip_prefix("unknown field `") {
        // Then: "NAME`, expected one of `A`, `B`", or "expected `A` or `B`"; every other piece between backticks is a name.
        let names: Vec<&str> = rest.split('`').step_by(2).collect();
        let known = names[1..].iter().copied().filter(|name| !name.is_empty());
        let hint = match nearest(names[0], known.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("expected one of {}", known.collect::<Vec<_>>().join(", ")),
        };
        format!("unknown key {}: {hint}", names[0])
    } else if let Some(name) = message.strip_prefix("missing field `") {
        format!("expected {} in this table, found none", name.trim_end_matches('`'))
    } else if message == "invalid type: map, expected a sequence" {
        let key = text[place.clone()].trim_matches(['[', ']', ' ']);
        format!("expected a list of tables, found one table: in two brackets it is one of several, [[{key}]]")
    } else if let Some((found, wanted)) = message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        let wanted = if wanted == "a sequence" { "a list of tables" } else { "a table" };
        format!("expected {wanted}, found {found}")
    } else {
        message.replace('\n', " ")
    };
    Fault::new(said, place)
}

#[cfg(test)]
mod tests;
