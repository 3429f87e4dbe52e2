//! What a rank tells the others of itself: `VERSION,MACHINE,SECRET,PORT,ADDRESS/BITS,…`, short enough for any launcher's table.
//!
//! The version is that of the start-up protocol, which rises with whatever libraries tell each other: no launcher of ours is there to compare.

use super::addresses::Address;
use super::handover::Secret;
use hpvm_wire::names::VERSION;

/// A machine may have many addresses, and a table takes short values.
const ADDRESSES_MAX: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Ranks with the same may be on one machine: they try. Empty where a rank shares memory with nobody.
    pub machine: String,
    /// By which its memory can be had.
    pub secret: Secret,
    /// At which it listens; 0 if it does not.
    pub port: u16,
    /// At which it may be called, the best one first.
    pub addresses: Vec<Address>,
}

impl Card {
    pub fn to_text(&self) -> String {
        let mut text = format!("{VERSION},{},{},{}", self.machine, self.secret.to_text(), self.port);
        for address in self.addresses.iter().take(ADDRESSES_MAX) {
            text += &format!(",{}", address.to_text());
        }
        text
    }

    /// `None` for what is no card, or one of another version.
    pub fn parse(text: &str) -> Option<Card> {
        let mut words = text.split(',');
        if words.next()?.parse() != Ok(VERSION) {
            return None;
        }
        let (machine, secret, port) = (words.next()?.to_owned(), Secret::parse(words.next()?)?, words.next()?.parse().ok()?);
        Some(Card { machine, secret, port, addresses: words.map(Address::parse).collect::<Option<_>>()? })
    }
}

/// Why this is no card, which a library of ours has told.
pub fn fault(text: &str) -> String {
    match text.split(',').next().map(str::parse::<u32>) {
        Some(Ok(other)) if other != VERSION => {
            format!("its library speaks version {other} of the start-up protocol, this one version {VERSION}: all ranks need the library of the same installation")
        }
        _ => format!("it says {text:?}, which is no card"),
    }
}

/// What tells this machine from others, as far as its processes can see: the run of the system, and the namespaces in which sockets and
/// process numbers are known. Copies of a virtual machine may agree in all of it, so ranks that do still have to find each other
/// (see [`handover`](super::handover)).
pub fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let namespace = |name: &str| std::fs::metadata(format!("/proc/self/ns/{name}")).map(|meta| std::os::unix::fs::MetadataExt::ino(&meta));
    match (boot, namespace("net"), namespace("pid")) {
        (Ok(boot), Ok(net), Ok(pid)) => format!("{}/{net:x}/{pid:x}", boot.trim()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_read_as_it_was_written() {
        let addresses = ["192.0.2.1/24!", "2001:db8::7/64"].map(|text| Address::parse(text).unwrap()).to_vec();
        let card = Card { machine: machine(), secret: Secret::new().unwrap(), port: 40123, addresses };
        let text = card.to_text();
        assert!(!text.contains(' ') && text.len() < 256, "{text}");
        assert_eq!(Card::parse(&text), Some(card));
        for wrong in ["", &VERSION.to_string(), "1,m", &format!("{VERSION},m,xyz,1"), &text.replacen(&VERSION.to_string(), "2", 1), &text.replace("40123", "99999"), &text.replace("/24", "/240"), &format!("{text},")] {
            assert_eq!(Card::parse(wrong), None, "{wrong}");
        }
        let (why, ours) = (fault("2,m,and,something,new"), format!("version {VERSION}:"));
        assert!(why.contains("version 2 of") && why.contains(&ours), "{why}");
        assert!(fault("x").contains("no card") && fault(&VERSION.to_string()).contains("no card"));
        let many = Card { machine: String::new(), addresses: vec![Address::parse("192.0.2.1/24").unwrap(); 30], ..Card::parse(&text).unwrap() };
        assert_eq!(Card::parse(&many.to_text()).unwrap().addresses.len(), ADDRESSES_MAX);
    }
}
