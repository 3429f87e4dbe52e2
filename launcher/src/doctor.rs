//! `hpvmrun doctor`: what would keep jobs from running well on the machines that there are, and how to mend it.
//!
//! On each machine ssh starts a [`probe`] (`hpvmd --probe`), with which [`patient`] speaks; [`findings`] judges what it tells. Then the probes
//! call each other ([`echo`]), at the addresses that the ranks of a job would use.

mod echo;
pub mod findings;
mod patient;
pub mod probe;

use std::io::{Write as _, stdout};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::exit::Refusal;
use crate::network;
use crate::node::machines::{Machine, Network, range};
use crate::node::placement;
use crate::node::route;
use crate::options::Options;
use findings::Facts;
use patient::Patient;

/// Something is to be mended.
const TROUBLE: u8 = 1;
/// How often the clock is asked; the quickest answer counts.
const CLOCK_QUESTIONS: usize = 5;

/// So many are reached at the same time.
const AT_ONCE: usize = 64;
/// Of more machines only the pairs that do not work are told.
const PAIRS_SHOWN: usize = 8;

/// A machine that answered.
struct Examined<'a> {
    patient: Patient<'a>,
    facts: Facts,
    ahead: f64,
    /// Where its probe listens.
    port: u16,
}

impl Examined<'_> {
    /// A word of `SSH_CONNECTION`: the client's address and port, then the server's.
    fn connection(&self, word: usize) -> Option<IpAddr> {
        self.facts.get("connection").split_whitespace().nth(word)?.parse().ok()
    }
}

/// All of `hpvmrun doctor`; the exit status.
pub fn run(options: &Options) -> Result<u8, Refusal> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let (machines, networks, source) = placement::all(options, &host, |name| std::env::var_os(name))?;
    let token = token().map_err(|error| Refusal::Launch(format!("no key can be made: {error}")))?;
    say(&format!("{source}\n"));
    let mut trouble = false;
    let mut examined = Vec::new();
    let answers = machines.chunks(AT_ONCE).flat_map(|some| examine_all(some, &token));
    for (machine, answer) in machines.iter().zip(answers) {
        let (text, is_well) = match &answer {
            Ok(one) => {
                let mend = one.facts.mend(one.ahead);
                let text = mend.iter().fold(one.facts.summary(one.patient.took, one.ahead), |text, line| text + "\n    mend: " + line);
                (text, mend.is_empty())
            }
            Err(why) => (why.clone(), false),
        };
        trouble |= !is_well;
        say(&format!("{}: {text}\n", machine.name));
        examined.extend(answer);
    }
    trouble |= !pairs(&mut examined, &networks, options, &token);
    say(if trouble { "there is something to mend\n" } else { "nothing to mend\n" });
    Ok(if trouble { TROUBLE } else { 0 })
}

/// That nobody reads to the end is not an error.
fn say(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// A word that only the probes of this examination know.
fn token() -> std::io::Result<String> {
    let key = network::key()?;
    let mut text = String::new();
    key[..echo::TOKEN_LENGTH / 2].iter().for_each(|byte| text += &format!("{byte:02x}"));
    Ok(text)
}

fn examine_all<'a>(machines: &'a [Machine], token: &str) -> Vec<Result<Examined<'a>, String>> {
    thread::scope(|scope| {
        let calls: Vec<_> = machines.iter().map(|machine| scope.spawn(move || examine(machine, token))).collect();
        calls.into_iter().map(|call| call.join().unwrap_or_else(|_| Err("the examination failed".into()))).collect()
    })
}

fn examine<'a>(machine: &'a Machine, token: &str) -> Result<Examined<'a>, String> {
    let mut patient = Patient::call(machine)?;
    let facts = Facts::parse(&patient.ask("facts")?);
    let mut quickest = (f64::INFINITY, 0.0);
    for _ in 0..CLOCK_QUESTIONS {
        let (before, there, after) = (now(), patient.ask("clock")?, now());
        let there = there.parse::<f64>().map_err(|_| format!("{there:?} is no time"))? / 1e9;
        if after - before < quickest.0 {
            quickest = (after - before, there - f64::midpoint(before, after));
        }
    }
    let port = patient.ask(&format!("listen {token}")).map_err(|why| format!("it cannot listen at any port: {why}"))?;
    let port = port.parse().map_err(|_| format!("{port:?} is no port"))?;
    Ok(Examined { patient, facts, ahead: quickest.1, port })
}

/// Seconds.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Each machine calls each other one; whether all reach each other.
fn pairs(examined: &mut [Examined], networks: &[Network], options: &Options, token: &str) -> bool {
    let (mut well, brief) = (true, examined.len() > PAIRS_SHOWN);
    // This machine's address is the one that others see.
    let own = examined.iter().find_map(|one| one.connection(0));
    for index in 0..examined.len() {
        let (before, rest) = examined.split_at_mut(index + 1);
        let one = &mut before[index];
        for other in rest {
            let pair = [one.patient.machine.clone(), other.patient.machine.clone()];
            if let Err(why) = route::check(&pair, networks, &options.job.devices) {
                say(&format!("{why}\n"));
                well = false;
                continue;
            }
            let (there, there_works) = call(one, other, networks, own, token);
            // Where both ways work they are alike.
            let (back, back_works) = call(other, one, networks, own, token);
            well &= there_works && back_works;
            if !there_works || !brief {
                say(&there);
            }
            if !back_works {
                say(&back);
            }
        }
    }
    if examined.len() > 2 && well {
        let names = range::fold(examined.iter().map(|one| one.patient.machine.name.as_str()));
        say(&format!("all of {names} reach each other\n"));
    }
    well
}

/// What came of a call, as a line, and whether it was answered.
fn call(from: &mut Examined, to: &Examined, networks: &[Network], own: Option<IpAddr>, token: &str) -> (String, bool) {
    let (caller, called) = (from.patient.machine, to.patient.machine);
    let address = route::address(caller, called, networks).or_else(|| to.connection(2)).or(own);
    let address = SocketAddr::new(address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), to.port);
    let head = format!("{} to {} at {}", caller.name, called.name, address.ip());
    let answer = from.patient.ask(&format!("call {address} {token}"));
    match answer.and_then(|answer| findings::call(&answer).ok_or_else(|| format!("{answer:?} is no answer"))) {
        Ok(figures) => (format!("{head}: {figures}\n"), true),
        Err(why) => {
            let mend = format!("let {} accept connections from {} at all ports (firewall), or name another address with advertise or networks in the machine file", called.name, caller.name);
            (format!("{head}: {why}\n    mend: {mend}\n"), false)
        }
    }
}
