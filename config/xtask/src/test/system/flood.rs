//! Callers who have no key: nothing said, nonsense, half a greeting, what looks like one of `hpvmrun`'s or of a rank's, all of it at once and left open.

use std::collections::VecDeque;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result};
use mpi_suite::lots::Lots;

/// So many are left open.
const OPEN_MAX: usize = 500;

pub fn flood(address: SocketAddr, callers: usize) -> Result<()> {
    let mut lots = Lots::of(callers as u64);
    let mut open = VecDeque::new();
    for number in 0..callers {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).with_context(|| format!("caller {number}"))?;
        let length = lots.below(700) as usize;
        let random: Vec<u8> = (0..length).map(|_| lots.below(256) as u8).collect();
        let head = |length: u16| [&b"HPVM\x01\x01"[..], &length.to_le_bytes()].concat();
        let text = match number % 8 {
            0 => Vec::new(),
            1 => random,
            2 => head(48)[..length % 8].to_vec(),
            3 => [head(48), random].concat(),
            4 => [head(0xffff), random].concat(),
            // As long as what a rank says: a proof, a nonce, who it is and whom it calls.
            5 => [&[7; 48][..], &[1, 0, 0, 0, 0, 0, 0, 0]].concat(),
            6 => [7; 30].into(),
            _ => [b"HPVM\x07\x09\x30\x00".to_vec(), random].concat(),
        };
        // It may have hung up already.
        let _ = stream.write_all(&text);
        open.push_back(stream);
        if open.len() > OPEN_MAX {
            open.pop_front();
        }
    }
    Ok(())
}

/// KiB of memory that only this process has.
pub fn memory(pid: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no RssAnon")?;
    line.split_whitespace().next().and_then(|number| number.parse().ok()).context("no number")
}
