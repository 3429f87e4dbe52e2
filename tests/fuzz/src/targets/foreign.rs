//! Starting under another MPI's launcher: what it says to a rank (PMI-1), and what the other ranks have left with it.

use std::io::Write as _;
use std::os::fd::IntoRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

use hpvm_wire::names::VERSION;
use hpvm_wire::pmi;
use mpi_fm::Result;
use mpi_fm_abi::foreign::card::{self, Card};
use mpi_fm_abi::foreign::meeting::meet;
use mpi_fm_abi::foreign::pmi::Pmi;
use mpi_fm_abi::foreign::{Manager, World};

use super::input::Input;

/// The first byte says which.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    match input.u8() % 4 {
        0 => launcher(&input),
        1 => {
            let Some(card) = str::from_utf8(input.0).ok().and_then(Card::parse) else { return };
            let again = Card::parse(&card.to_text()).expect("what was written is read");
            assert_eq!((again.machine, again.secret, again.port), (card.machine, card.secret, card.port));
            assert!(card.addresses.starts_with(&again.addresses));
        }
        _ => ranks(&mut input),
    }
}

/// All that it says is there already; then it has closed the connection.
fn launcher(input: &Input) {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    theirs.write_all(&input.0[..input.0.len().min(32 << 10)]).expect("a socket takes as much");
    theirs.shutdown(std::net::Shutdown::Write).expect("it is open");
    let fd = ours.into_raw_fd().to_string();
    let found = Pmi::find(|name| match name {
        pmi::FD => Some(fd.clone()),
        pmi::RANK => Some("1".into()),
        pmi::SIZE => Some("3".into()),
        _ => None,
    });
    let Ok(found) = found else { return };
    let found = found.expect("a job of three is not alone");
    let _ = found.put("card", "value");
    while found.fence().is_ok() {
        for rank in 0..3 {
            if let Ok(value) = found.get(rank, "card") {
                assert!(!value.contains([' ', '\n']));
            }
        }
    }
    found.finalize();
}

/// Other ranks, who have said what the input says: a line for each question. `@` stands for this machine; an empty line for what is right.
struct Others<'i> {
    world: World,
    said: Mutex<Input<'i>>,
    own: Mutex<Vec<(String, String)>>,
}

impl Manager for Others<'_> {
    fn world(&self) -> World {
        self.world
    }

    fn put(&self, key: &str, value: &str) -> Result<()> {
        assert!(!value.contains(' ') && value.len() < 1024, "{value}");
        self.own.lock().expect("one thread").push((key.into(), value.into()));
        Ok(())
    }

    fn fence(&self) -> Result<()> {
        Ok(())
    }

    fn get(&self, rank: u32, key: &str) -> Result<String> {
        if rank == self.world.rank {
            let own = self.own.lock().expect("one thread");
            return Ok(own.iter().find(|(own, _)| own == key).expect("it was put").1.clone());
        }
        let said = String::from_utf8_lossy(self.said.lock().expect("one thread").until(b'\n')).replace('@', &card::machine());
        Ok(match key {
            _ if !said.is_empty() => said,
            "card" => format!("{VERSION},{},{rank:064x},40123,192.0.2.{}/24", card::machine(), rank + 1),
            "key" => "6c".repeat(32),
            _ => rank.to_string(),
        })
    }

    fn finalize(&self) {}

    fn abort(&self, _: i32) {}
}

/// They meet, or it is said why they do not; who has met knows where each is.
fn ranks(input: &mut Input) {
    let size = 1 + u32::from(input.u8()) % 4;
    let rank = u32::from(input.u8()) % size;
    let world = World { rank, size, appnum: None, universe_size: None };
    let others = Others { world, said: Mutex::new(Input(input.0)), own: Mutex::default() };
    match meet(&others) {
        Ok(met) => {
            let (place, peers) = (met.place, &met.network.peers);
            assert!(place.rank == rank && place.size == size && place.local_rank < place.local_size && place.local_size <= size, "{place:?}");
            assert_eq!((peers.len(), peers[rank as usize].node), (size as usize, place.node));
            assert_eq!(peers.iter().filter(|peer| peer.node == place.node).count(), place.local_size as usize);
            assert!(peers.iter().all(|peer| peer.node == place.node || (peer.address.port() != 0 && !peer.address.ip().is_unspecified())));
        }
        Err(error) => assert!(!error.text.is_empty()),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let pmi = "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0\ncmd=maxes kvsname_max=256 keylen_max=64 vallen_max=1024\ncmd=appnum appnum=1\n\
               cmd=universe_size size=-1\ncmd=my_kvsname kvsname=k\ncmd=put_result rc=0 msg=success\ncmd=barrier_out\ncmd=get_result rc=0 msg=success value=y\n\
               cmd=get_result rc=-1 msg=key_not_found value=unknown\ncmd=get_result rc=0 value=z\ncmd=barrier_out\ncmd=finalize_ack\n";
    let card = format!("{VERSION},@,{},40123,192.0.2.1/24!,2001:db8::7/64,10.0.0.0/0", "0f".repeat(32));
    let afar = card.replace('@', "elsewhere");
    let met = |size: u8, rank: u8, lines: &[&str]| [&[2, size - 1, rank], lines.join("\n").as_bytes()].concat();
    vec![
        [&[0], pmi.as_bytes()].concat(),
        [&[0], pmi.replace("rc=0", "rc=-1").as_bytes()].concat(),
        [&[1], card.as_bytes()].concat(),
        met(1, 0, &[]),
        met(2, 0, &[]),
        met(3, 1, &["", "", "", "", "none"]),
        met(3, 1, &[&afar, &afar, &format!("{},encrypt", "a0".repeat(32)), "0", "0"]),
        met(4, 2, &[&card, &afar, &card, "", "0", "1", "none", "0", "3"]),
        met(2, 1, &[&format!("{VERSION},,{},0", "0f".repeat(32))]),
        met(2, 1, &["2,x"]),
        met(2, 1, &[&VERSION.to_string()]),
        met(2, 1, &["", "6c"]),
    ]
}
