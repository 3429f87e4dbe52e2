//! `via` among the devices between nodes: its card says by which provider of libfabric this rank is reached, and where.

use super::devices::{Candidate, Contact, Row, Setting, Wired};
use crate::host::Machine;
use fm::{Peer, Threading};
use hpvm_via::fabric::{Library, library};
use hpvm_via::{Network, Opened, Protocol, Via, Wish, provider};
use mpi_fm::host::Host as _;
use mpi_fm::{Result, bail};
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

pub const ROW: Row = Row { name: "via", open };

/// Another library than the system's.
const LIBRARY: &str = "HPVM_LIBFABRIC";
/// A provider, by its name.
const PROVIDER: &str = "HPVM_VIA_PROVIDER";

/// Tells jobs apart; from the key, of which it gives nothing away.
fn tag(key: &[u8; 32]) -> u32 {
    let hash = blake3::keyed_hash(key, b"hpvm via");
    hash.as_bytes().first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn open(setting: &Setting) -> std::result::Result<Box<dyn Candidate>, String> {
    let path = std::env::var_os(LIBRARY);
    let library = Library::load(path.as_deref()).map_err(|why| format!("{} cannot be loaded: {why}", library::NAME))?;
    let (peers, asked) = (&setting.network.peers, std::env::var(PROVIDER).ok());
    let own = &peers[setting.me.index()];
    let is_known = |address: &IpAddr| !address.is_unspecified();
    let wish = Wish {
        provider: asked.as_deref(),
        address: setting.addresses.first().copied().or(Some(own.address.ip())).filter(is_known),
        one_machine: peers.iter().all(|at| at.node == own.node),
        peers: peers.len(),
        sleeps: true,
    };
    let opened = provider::open(library, wish)?;
    let host = Arc::clone(setting.host);
    let (me, tag, threading, look_every) = (setting.me, tag(&setting.network.key), setting.threading, setting.look_every);
    Ok(Box::new(Ours { opened, me, tag, threading, look_every, host }))
}

/// The device before the others are known.
struct Ours {
    opened: Opened,
    me: Peer,
    tag: u32,
    threading: Threading,
    look_every: u32,
    host: Arc<Machine>,
}

/// What a card says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    provider: String,
    protocol: Protocol,
    name: Box<[u8]>,
}

impl Said {
    fn to_text(&self) -> String {
        let digits: String = self.name.iter().map(|byte| format!("{byte:02x}")).collect();
        let Protocol { number, version } = self.protocol;
        format!("{} {number} {version} {digits}", self.provider)
    }

    fn parse(text: &str) -> Option<Said> {
        let mut words = text.split(' ');
        let (provider, number, version, digits) = (words.next()?, words.next()?, words.next()?, words.next()?);
        if !digits.is_ascii() || digits.len() % 2 != 0 {
            return None;
        }
        let name = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect::<Option<_>>()?;
        let protocol = Protocol { number: number.parse().ok()?, version: version.parse().ok()? };
        Some(Said { provider: provider.into(), protocol, name })
    }
}

impl Candidate for Ours {
    fn card(&self) -> String {
        Said { provider: self.opened.provider.clone(), protocol: self.opened.protocol, name: self.opened.name().into() }.to_text()
    }

    fn suits(&self, peer: &Contact) -> std::result::Result<(), String> {
        let Some(theirs) = Said::parse(&peer.card) else { return Err("the other side's is of another version".into()) };
        if theirs.provider != self.opened.provider {
            return Err(format!("the other side has provider {}, this one {}", theirs.provider, self.opened.provider));
        }
        if theirs.protocol != self.opened.protocol {
            return Err(format!("the two sides' libfabrics have different {}s", self.opened.provider));
        }
        Ok(())
    }

    fn join(self: Box<Self>, peers: Vec<Option<Contact>>) -> Result<Arc<dyn Wired>> {
        let Ours { opened, me, tag, threading, look_every, host } = *self;
        let name = |contact: &Option<Contact>| contact.as_ref().and_then(|contact| Said::parse(&contact.card)).map_or(Box::default(), |said| said.name);
        let names = peers.iter().map(name).collect();
        let provider = opened.provider.clone();
        let tell = move |peer: Peer, what: &str| {
            let whom = if peer == me { "the network".to_owned() } else { format!("rank {}", peer.0) };
            eprintln!("hpvm: rank {}: {whom} cannot be reached by libfabric's provider {provider}: {what}", me.0);
            host.abort(1)
        };
        match Via::new(opened, Network { me, tag, names, look_every, tell: Box::new(tell) }, threading) {
            Ok(via) => Ok(Arc::new(via)),
            Err(why) => bail!(OTHER, "the device via cannot be used: {why}"),
        }
    }
}

impl Wired for Via {
    fn descriptor(&self) -> BorrowedFd<'_> {
        Via::descriptor(self)
    }

    fn limit(&self) -> Option<Duration> {
        Via::limit(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_back_and_nothing_else_is_one() {
        let said = Said { provider: "tcp;ofi_rxm".into(), protocol: Protocol { number: 11, version: 1 }, name: [0u8, 255, 17].into() };
        let text = said.to_text();
        assert_eq!(text, "tcp;ofi_rxm 11 1 00ff11");
        assert_eq!(Said::parse(&text), Some(said));
        for other in ["", "shm", "shm 1 1", "shm 1 1 0", "shm 1 1 0g", "shm x 1 00", "shm 1 1 \u{e9}"] {
            assert_eq!(Said::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_tag_says_nothing_of_its_key() {
        assert_ne!(tag(&[7; 32]), tag(&[8; 32]));
        assert_ne!(tag(&[7; 32]), 0x0707_0707);
    }
}
