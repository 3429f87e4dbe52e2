//! Which provider carries: the first in an order of our own that offers what is needed here and passes a test. Nobody wins by chance.

use crate::fabric::abi::{CONTEXT_WORDS, FI_RECV, FI_SEND};
pub use crate::fabric::info::Protocol;
use crate::fabric::{Infos, Library, Moved, Nic, Offer, Registration};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// Providers in the order in which they are tried: networks that move data by themselves, then those over sockets. Others are taken
/// only by name: the rest are for testing, for datagrams, or layers over these.
pub const NETWORKS: [&str; 7] = ["cxi", "efa", "opx", "psm2", "verbs;ofi_rxm", "tcp", "tcp;ofi_rxm"];

/// The provider between processes of one machine.
pub const ONE_MACHINE: &str = "shm";

/// For a message to oneself and back: connections are made meanwhile.
const DEADLINE: Duration = Duration::from_secs(3);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'w> {
    /// A provider's name; without one the first that works.
    pub provider: Option<&'w str>,
    /// Our address: of providers whose addresses are those of the Internet, which interface is taken.
    pub address: Option<IpAddr>,
    /// All processes of the job are on this machine.
    pub one_machine: bool,
    /// So many processes are to be reached.
    pub peers: usize,
    /// Whether waits may sleep until there is something.
    pub sleeps: bool,
}

/// A provider that works.
pub struct Opened {
    pub(crate) nic: Nic,
    pub provider: String,
    /// What it speaks: with the same on both sides they understand each other.
    pub protocol: Protocol,
    /// Its network device.
    pub domain: String,
    /// What was tried before, and why it was not taken.
    pub passed_over: Vec<(String, String)>,
}

impl Opened {
    /// Our address, for the others.
    pub fn name(&self) -> &[u8] {
        self.nic.name()
    }
}

/// The opened provider without a device around it: to be measured.
pub fn into_nic(opened: Opened) -> Nic {
    opened.nic
}

/// Opens a provider.
///
/// # Errors
/// When none works: says of each why.
pub fn open(library: &'static Library, wish: Wish<'_>) -> Result<Opened, String> {
    let networks = &NETWORKS[..];
    let names: &[&str] = match &wish.provider {
        Some(provider) => std::slice::from_ref(provider),
        None if wish.one_machine => &[ONE_MACHINE],
        None => networks,
    };
    let mut passed_over = Vec::new();
    for &name in names {
        match open_one(library, name, wish) {
            Ok(opened) => return Ok(Opened { passed_over, ..opened }),
            Err(why) => passed_over.push((name.to_owned(), why)),
        }
    }
    let reasons: Vec<_> = passed_over.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    Err(format!("no provider of libfabric works here ({})", reasons.join("; ")))
}

fn open_one(library: &'static Library, name: &str, wish: Wish<'_>) -> Result<Opened, String> {
    let infos = Infos::of(library, name, false)?;
    let is_ours = |offer: &Offer<'_>| match (wish.address, offer.is_of_internet()) {
        (Some(address), true) => offer.address() == Some(address),
        _ => true,
    };
    let offer = infos.iter().find(is_ours).ok_or_else(|| match wish.address {
        Some(address) => format!("it does not have the address {address}"),
        None => "it offers nothing".to_owned(),
    })?;
    // The endpoint that was tested is not kept: what it was sent is none of a peer's.
    let mut tested = Nic::open(offer, 1, false)?;
    test(&mut tested)?;
    drop(tested);
    let nic = Nic::open(offer, wish.peers, wish.sleeps)?;
    let (provider, protocol, domain) = (offer.provider(), offer.protocol(), offer.domain());
    Ok(Opened { nic, provider, protocol, domain, passed_over: Vec::new() })
}

/// Sends a message to itself, which has to come.
fn test(nic: &mut Nic) -> Result<(), String> {
    const LEN: usize = 4096;
    let until = Instant::now() + DEADLINE;
    let name: Box<[u8]> = nic.name().into();
    let myself = nic.insert(&name)?;
    let mut contexts = [[0usize; CONTEXT_WORDS]; 2];
    let mut memory = vec![0u8; 2 * LEN];
    memory[LEN..].iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7 + 1) as u8);
    let start = NonNull::from(&mut memory[..]).cast::<u8>();
    // SAFETY: the endpoint is shut, and the registration gone, before the memory is.
    let registration = unsafe { nic.register(start, 2 * LEN, FI_SEND | FI_RECV, false)? };
    let tested = exchange(nic, start, LEN, &registration, myself, &mut contexts, until);
    nic.shut();
    drop(registration);
    tested?;
    if memory[..LEN] == memory[LEN..] { Ok(()) } else { Err("a message to oneself comes changed".into()) }
}

/// Receives into the first `len` bytes what is sent from the others.
fn exchange(
    nic: &mut Nic,
    start: NonNull<u8>,
    len: usize,
    registration: &Registration,
    myself: u64,
    contexts: &mut [[usize; CONTEXT_WORDS]; 2],
    until: Instant,
) -> Result<(), String> {
    let [receiving, sending] = contexts.each_mut().map(|words| words.as_mut_ptr().cast());
    let (mut posted, mut sent, mut completed) = (false, false, 0);
    while completed < 2 {
        if Instant::now() > until {
            return Err(format!("a message to oneself takes more than {} s", DEADLINE.as_secs()));
        }
        for (done, context) in [(&mut posted, receiving), (&mut sent, sending)] {
            if *done {
                continue;
            }
            // SAFETY: halves of the caller's memory, each for one operation; the endpoint is shut before anybody touches them again.
            let moved = unsafe {
                if context == receiving {
                    nic.receive(start, len, registration, context)
                } else {
                    nic.send(start.add(len), len, registration, myself, context)
                }
            };
            match moved {
                Moved::Done => *done = true,
                Moved::Later => {}
                Moved::Failed(code) => return Err(format!("a message to oneself: {}", nic.describe(code))),
            }
        }
        let mut room = [MaybeUninit::uninit(); 2];
        match nic.completions(&mut room) {
            Ok(entries) => completed += entries.len(),
            Err(failed) => return Err(format!("a message to oneself: {}", failed.what)),
        }
    }
    Ok(())
}
