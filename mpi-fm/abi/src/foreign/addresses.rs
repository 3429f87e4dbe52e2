//! At which addresses a rank can be called, and which of them another one takes.
//!
//! Nobody says which network the ranks are to use. An address from which the launcher's own machine is reached is one that works (Slurm tells
//! where that is); otherwise one in a network that both machines are in; and what containers and virtual machines have among
//! themselves comes last, for it often looks the same on all machines.

use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// An address of this machine or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    pub ip: IpAddr,
    /// The length of its network's part.
    pub bits: u8,
    /// Other machines of the job are reached from it.
    pub proven: bool,
}

impl Address {
    pub fn to_text(self) -> String {
        format!("{}/{}{}", self.ip, self.bits, if self.proven { "!" } else { "" })
    }

    pub fn parse(text: &str) -> Option<Address> {
        let (text, proven) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
        let (ip, bits) = text.split_once('/')?;
        let (ip, bits): (IpAddr, u8) = (ip.parse().ok()?, bits.parse().ok()?);
        (bits <= width(ip)).then_some(Address { ip, bits, proven })
    }

    /// Whether `other` is in the same network.
    fn is_beside(&self, other: &Address) -> bool {
        self.ip.is_ipv4() == other.ip.is_ipv4() && self.network() == Address { bits: self.bits, ..*other }.network()
    }

    /// The number of its network.
    fn network(&self) -> u128 {
        number(self.ip).checked_shr(u32::from(width(self.ip) - self.bits)).unwrap_or(0)
    }
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

/// The address at which one with the addresses `mine` best calls one with the addresses `theirs`; `None` where there is none.
pub fn choose(mine: &[Address], theirs: &[Address]) -> Option<IpAddr> {
    // One that both have (docker0) would lead back to the caller.
    let others = || theirs.iter().filter(|their| mine.iter().all(|my| my.ip != their.ip));
    let proven = others().find(|their| their.proven);
    let beside = || others().find(|their| mine.iter().any(|my| my.is_beside(their)));
    let known = || others().find(|their| mine.iter().any(|my| my.ip.is_ipv4() == their.ip.is_ipv4()));
    proven.or_else(beside).or_else(known).map(|their| their.ip)
}

/// The same in as many networks as both are in, `most` at most, in an order that both find; or the one that [`choose`] finds.
pub fn several(mine: &[Address], theirs: &[Address], most: usize) -> Vec<IpAddr> {
    let is_shared = |their: &&Address| mine.iter().all(|my| my.ip != their.ip) && mine.iter().any(|my| my.is_beside(their));
    let mut shared: Vec<&Address> = theirs.iter().filter(is_shared).collect();
    shared.sort_by_key(|their| (their.ip.is_ipv6(), their.network()));
    shared.dedup_by_key(|their| (their.ip.is_ipv6(), their.network()));
    if shared.is_empty() || most < 2 {
        return choose(mine, theirs).into_iter().collect();
    }
    shared.into_iter().take(most).map(|their| their.ip).collect()
}

/// Networks that a machine has with itself.
const INNER: [&str; 8] = ["docker", "virbr", "br-", "veth", "cni", "flannel", "podman", "lxc"];

/// Those of this machine, the best ones first. Neither loopback nor what counts on one cable only.
pub fn own() -> Vec<Address> {
    let mut found: Vec<(u8, Address)> = Vec::new();
    let mut list = std::ptr::null_mut();
    // SAFETY: the list is written to `list`, and freed below.
    if unsafe { libc::getifaddrs(&mut list) } != 0 {
        return Vec::new();
    }
    let mut at = list;
    // SAFETY: the list's entries are valid until it is freed, the last one's link is null.
    while let Some(entry) = unsafe { at.as_ref() } {
        at = entry.ifa_next;
        let is_up = entry.ifa_flags & libc::IFF_UP as u32 != 0 && entry.ifa_flags & libc::IFF_LOOPBACK as u32 == 0;
        // SAFETY: pointers of an entry are null or to what they say.
        let (ip, mask) = unsafe { (ip(entry.ifa_addr), ip(entry.ifa_netmask)) };
        let (Some(ip), Some(mask), true) = (ip, mask, is_up) else { continue };
        // SAFETY: a name is there and ends with a zero.
        let name = unsafe { CStr::from_ptr(entry.ifa_name) }.to_string_lossy();
        let is_inner = INNER.iter().any(|inner| name.starts_with(inner));
        let address = Address { ip, bits: number(mask).count_ones() as u8, proven: false };
        found.push((u8::from(is_inner) * 2 + u8::from(ip.is_ipv6()), address));
    }
    // SAFETY: it came from getifaddrs, and nothing refers to it any more.
    unsafe { libc::freeifaddrs(list) };
    found.sort_by_key(|(rank, _)| *rank);
    let mut found: Vec<_> = found.into_iter().map(|(_, address)| address).collect();
    if let Some(proven) = towards_launcher()
        && let Some(at) = found.iter().position(|address| address.ip == proven)
    {
        found[..=at].rotate_right(1);
        found[0].proven = true;
    }
    found
}

/// # Safety
/// Null, or a socket address as long as its family says.
unsafe fn ip(address: *const libc::sockaddr) -> Option<IpAddr> {
    // SAFETY: the caller's.
    let family = unsafe { address.as_ref() }?.sa_family;
    match i32::from(family) {
        libc::AF_INET => {
            // SAFETY: the caller's, for this family.
            let address = unsafe { address.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the caller's, for this family.
            let address = unsafe { address.cast::<libc::sockaddr_in6>().read_unaligned() };
            let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
            (!ip.is_unicast_link_local()).then_some(ip.into())
        }
        _ => None,
    }
}

/// The address from which packets to the machine with Slurm's srun leave; none is sent.
fn towards_launcher() -> Option<IpAddr> {
    let launcher: IpAddr = std::env::var("SLURM_LAUNCH_NODE_IPADDR").ok()?.parse().ok()?;
    let any: IpAddr = if launcher.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((launcher, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<Address> {
        text.split_whitespace().map(|word| Address::parse(word).unwrap()).collect()
    }

    #[test]
    fn machines_meet_where_both_are() {
        for (mine, theirs, expected) in [
            ("10.0.0.1/24", "172.17.0.1/16 10.0.0.2/24", Some("10.0.0.2")),
            ("10.0.0.1/24 172.17.0.1/16", "172.17.0.1/16 10.0.0.2/24", Some("10.0.0.2")),
            ("10.0.0.1/24", "192.0.2.1/24 10.0.0.2/24 198.51.100.1/24!", Some("198.51.100.1")),
            ("10.0.0.1/24", "2001:db8::1/64 192.0.2.1/24", Some("192.0.2.1")),
            ("10.0.0.1/24 2001:db8::2/64", "192.0.2.1/24 2001:db8::1/64", Some("2001:db8::1")),
            ("10.0.0.1/0", "192.0.2.1/24", Some("192.0.2.1")),
            ("10.0.0.1/24", "2001:db8::1/64", None),
            ("10.0.0.1/24", "10.0.0.1/24", None),
            ("10.0.0.1/24", "", None),
        ] {
            assert_eq!(choose(&list(mine), &list(theirs)), expected.map(|text| text.parse().unwrap()), "{mine} calls {theirs}");
        }
    }

    #[test]
    fn two_networks_are_used_in_the_same_order_by_both() {
        for (mine, theirs, expected) in [
            ("10.1.0.1/24 10.0.0.1/24", "10.0.0.2/24 192.0.2.1/24 10.1.0.2/24", "10.0.0.2 10.1.0.2"),
            ("10.0.0.2/24 192.0.2.1/24 10.1.0.2/24", "10.1.0.1/24 10.0.0.1/24", "10.0.0.1 10.1.0.1"),
            ("10.0.0.1/24", "10.0.0.2/24 10.0.0.3/24 10.1.0.2/24", "10.0.0.2"),
            ("10.0.0.1/24", "192.0.2.1/24", "192.0.2.1"),
            ("10.0.0.1/24", "", ""),
        ] {
            let found: Vec<_> = several(&list(mine), &list(theirs), 2).iter().map(IpAddr::to_string).collect();
            assert_eq!(found.join(" "), expected, "{mine} calls {theirs}");
        }
    }

    #[test]
    fn own_addresses_are_those_that_others_can_call() {
        for address in own() {
            assert!(!address.ip.is_loopback(), "{address:?}");
            assert_eq!(Address::parse(&address.to_text()), Some(address));
        }
    }
}
