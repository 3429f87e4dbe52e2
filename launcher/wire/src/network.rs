//! The job's network: where each rank listens, on which node it is, which devices may carry messages to it, and the key with which connections
//! begin.
//!
//! A file in memory that the launcher writes and ranks inherit. Neither a command line nor the environment holds the key: others can
//! read the former, and the latter is passed on to programs that are none of the job's.
//!
//! ```text
//! key 6c0f…            64 digits
//! encrypt no
//! shared-memory yes
//! cards yes
//! explain no
//! here servernet=192.0.2.1,198.51.100.1 ip
//! 0 192.0.2.1:40123 ip
//! 3 192.0.2.2:40377 servernet=192.0.2.2,198.51.100.2 ip
//! ```
//! The n-th of the last lines is that of rank n: its node, the address at which it listens, and the devices that may carry messages to it, the
//! preferred one first, each with the addresses of that node in the networks that it is to use. The line above them has this node's own.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{MemfdFlags, SealFlags};

/// All that a rank has to know of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub key: [u8; 32],
    /// Whether what goes over connections is encrypted.
    pub encrypt: bool,
    /// Whether ranks of a node may use its memory for their messages.
    pub shared_memory: bool,
    /// Whether ranks have to tell each other how some device reaches them: all do so, or none.
    pub cards: bool,
    /// Whether the user wants to know which device was chosen.
    pub explain: bool,
    /// The devices that this node's ranks may need, with its own addresses in their networks.
    pub here: Vec<Way>,
    /// By rank.
    pub peers: Vec<At>,
}

/// Where a rank is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    pub node: u32,
    pub address: SocketAddr,
    /// What may carry messages there, the preferred one first. Both ends of a pair have the same order.
    pub ways: Vec<Way>,
}

/// A device, and addresses in the networks that it is to use; none where those of the machine are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub device: String,
    pub addresses: Vec<IpAddr>,
}

impl Way {
    fn to_text(&self) -> String {
        let addresses: Vec<_> = self.addresses.iter().map(IpAddr::to_string).collect();
        if addresses.is_empty() { self.device.clone() } else { format!("{}={}", self.device, addresses.join(",")) }
    }

    fn parse(word: &str) -> Option<Self> {
        let (device, addresses) = word.split_once('=').map_or((word, None), |(device, addresses)| (device, Some(addresses)));
        let addresses = addresses.map_or(Some(Vec::new()), |list| list.split(',').map(|one| one.parse().ok()).collect())?;
        (!device.is_empty()).then(|| Self { device: device.into(), addresses })
    }
}

impl Network {
    /// A file that says so, never to be changed.
    pub fn create(&self) -> io::Result<OwnedFd> {
        let file = rustix::fs::memfd_create("hpvm-network", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let mut file = File::from(file);
        file.write_all(self.to_text().as_bytes())?;
        rustix::fs::fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(file.into())
    }

    /// Reads such a file, from [`crate::Descriptor::open`].
    pub fn read(file: OwnedFd) -> io::Result<Self> {
        let file = File::from(file);
        let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(0)];
        // Not from the current position: all ranks of the node share that, and read at the same time.
        file.read_exact_at(&mut bytes, 0)?;
        String::from_utf8(bytes).ok().and_then(|text| Self::parse(&text)).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the network's file is not one"))
    }

    pub fn to_text(&self) -> String {
        let mut text = String::from("key ");
        for byte in self.key {
            let _ = write!(text, "{byte:02x}");
        }
        let word = |is| if is { "yes" } else { "no" };
        let _ = writeln!(text, "\nencrypt {}\nshared-memory {}", word(self.encrypt), word(self.shared_memory));
        let _ = write!(text, "cards {}\nexplain {}\nhere", word(self.cards), word(self.explain));
        let mut list = |start: &str, ways: &[Way]| {
            text += start;
            ways.iter().for_each(|way| text.extend([" ", &way.to_text()]));
            text.push('\n');
        };
        list("", &self.here);
        for At { node, address, ways } in &self.peers {
            list(&format!("{node} {address}"), ways);
        }
        text
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let digits = lines.next()?.strip_prefix("key ")?;
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        let mut key = [0; 32];
        for (byte, at) in key.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
        }
        let mut is = |what| match lines.next()?.strip_prefix(what)? {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        let (encrypt, shared_memory) = (is("encrypt ")?, is("shared-memory ")?);
        let (cards, explain) = (is("cards ")?, is("explain ")?);
        let here = lines.next()?.strip_prefix("here")?.split_whitespace().map(Way::parse).collect::<Option<_>>()?;
        let peer = |line: &str| {
            let mut words = line.split(' ');
            let (node, address) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some(At { node, address, ways: words.map(Way::parse).collect::<Option<_>>()? })
        };
        let peers = lines.map(peer).collect::<Option<_>>()?;
        Some(Self { key, encrypt, shared_memory, cards, explain, here, peers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Network {
        let ways = |text: &str| text.split_whitespace().map(|word| Way::parse(word).unwrap()).collect();
        let at = |node, address: &str, words: &str| At { node, address: address.parse().unwrap(), ways: ways(words) };
        let peers = vec![at(0, "192.0.2.1:40123", ""), at(0, "192.0.2.1:9", "ip"), at(3, "[2001:db8::7]:65535", "via=192.0.2.7,2001:db8::8 ip=192.0.2.9")];
        let key = std::array::from_fn(|at| (at * 9) as u8);
        Network { key, encrypt: false, shared_memory: true, cards: true, explain: false, here: ways("via=192.0.2.1 ip"), peers }
    }

    #[test]
    fn what_is_written_is_read_back_by_everyone() {
        let file = sample().create().unwrap();
        let reader = || {
            let file = file.try_clone().unwrap();
            std::thread::spawn(move || (0..200).all(|_| Network::read(file.try_clone().unwrap()).is_ok_and(|read| read == sample())))
        };
        let readers: Vec<_> = (0..3).map(|_| reader()).collect();
        assert!(readers.into_iter().all(|reader| reader.join().unwrap()));
        assert!(File::from(file).write_all(b"x").is_err(), "nobody can change it");
    }

    #[test]
    fn anything_else_is_refused() {
        let text = sample().to_text();
        assert_eq!(Network::parse(&text), Some(sample()));
        for (wanted, instead) in [("key ", "kex "), ("00", "0g"), ("00", ""), ("yes", "perhaps"), ("no", "perhaps"), (":40123", ""), ("\n3 ", "\nx "), ("here", "her"), ("=192", "=x"), (" via", " ")] {
            assert_eq!(Network::parse(&text.replacen(wanted, instead, 1)), None, "{instead} for {wanted}");
        }
        assert_eq!(Network::parse(""), None);
    }
}
