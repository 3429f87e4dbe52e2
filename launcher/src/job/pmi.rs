//! PMI-1, the launcher's side: programs of MPICH's family run under `hpvmrun`. [`hpvm_wire::pmi`] has the messages.
//!
//! Each rank inherits a socket, by which nothing comes if its library is ours. What a rank says there of its beginning and its end is put on its
//! status line, so that [`judge`](super::judge) needs to know of one kind of MPI program only. What does not come from a launcher's peer but
//! from a broken program ends that rank's conversation, with a word to the user, and nothing else.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hpvm_wire::Board;
use hpvm_wire::pmi::{Lines, Message};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::plan::Plan;

/// What the table takes.
const KEY_MAX: usize = 64;
const VALUE_MAX: usize = 1024;
/// So many values may one rank put: a program that puts more is broken.
const VALUES_MAX: usize = 65_536;
/// Who has left so much unread is not heard until it has read.
const UNREAD_MAX: usize = 64 << 10;
/// So much of what one rank says is heard before others are.
const HEARD_MAX: usize = 64 << 10;
/// Of the one table that there is.
const TABLE: &str = "hpvm";
/// Which ranks are on which node.
const MAPPING: &str = "PMI_process_mapping";

/// The ranks' sides: rank `n` inherits the n-th.
pub type Theirs = Vec<OwnedFd>;

/// Those that speak PMI, and what they have told each other.
pub struct Pmi {
    ranks: Vec<Option<Client>>,
    table: HashMap<String, String>,
    put: Vec<usize>,
    /// Who has entered the barrier.
    waiting: HashSet<u32>,
    appnums: Vec<u32>,
}

struct Client {
    socket: OwnedFd,
    lines: Lines,
    unsent: Vec<u8>,
    /// There may be lines that wait until it has read what is unsent.
    behind: bool,
    /// `init` has come.
    greeted: bool,
    /// A message of several lines is on its way, of which nothing is wanted.
    several: bool,
}

/// What a rank's words mean for the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Initialised,
    Finalised,
    Aborted { code: i32 },
    /// It says what PMI does not know: a sentence.
    Nonsense(String),
}

impl Pmi {
    pub fn new(plan: &Plan) -> io::Result<(Self, Theirs)> {
        let pair = || rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let pairs = plan.ranks.iter().map(|_| pair()).collect::<Result<Vec<_>, _>>()?;
        let (ours, theirs): (Vec<_>, _) = pairs.into_iter().unzip();
        let client = |socket| Some(Client { socket, lines: Lines::default(), unsent: Vec::new(), behind: false, greeted: false, several: false });
        let size = plan.ranks.len();
        let mut table = HashMap::new();
        table.extend(mapping(plan).map(|mapping| (MAPPING.to_owned(), mapping)));
        let appnums = plan.ranks.iter().map(|rank| rank.place.appnum).collect();
        let pmi = Self { ranks: ours.into_iter().map(client).collect(), table, put: vec![0; size], waiting: HashSet::new(), appnums };
        Ok((pmi, theirs))
    }

    /// By rank.
    pub fn interests(&self) -> impl Iterator<Item = (u32, BorrowedFd<'_>, PollFlags)> {
        let flags = |client: &Client| {
            let hearing = if client.unsent.len() < UNREAD_MAX { PollFlags::IN } else { PollFlags::empty() };
            let telling = if client.unsent.is_empty() && !client.behind { PollFlags::empty() } else { PollFlags::OUT };
            hearing | telling
        };
        (0..).zip(&self.ranks).filter_map(move |(rank, client)| client.as_ref().map(|client| (rank, client.socket.as_fd(), flags(client))))
    }

    /// Hears what has come from these ranks and answers it. Puts what it means on the board; whether that has something new, and what is to be told
    /// to the user.
    pub fn work(&mut self, ready: &[u32], board: &Board) -> (bool, Vec<String>) {
        let (mut news, mut words) = (false, Vec::new());
        for &rank in ready {
            for heard in self.hear(rank) {
                news = true;
                let line = &board[rank as usize];
                match heard {
                    Heard::Initialised => line.initialised(),
                    Heard::Finalised => line.finalised(),
                    Heard::Aborted { code } => line.aborted(code),
                    Heard::Nonsense(why) => words.push(format!("rank {rank} speaks PMI, and is not understood: {why}")),
                }
            }
        }
        for at in 0..self.ranks.len() {
            self.flush(at);
        }
        (news, words)
    }

    fn hear(&mut self, rank: u32) -> Vec<Heard> {
        let (mut heard, mut bytes, mut count_of_all) = (Vec::new(), [0; 4096], 0);
        // What it has said before and could not be answered.
        self.flush(rank as usize);
        self.take_lines(rank, &mut heard);
        while count_of_all < HEARD_MAX
            && let Some(client) = self.ranks[rank as usize].as_mut().filter(|client| client.unsent.len() < UNREAD_MAX)
        {
            match rustix::net::recv(&client.socket, &mut bytes, RecvFlags::DONTWAIT).map(|(count, _)| count) {
                Ok(count) if count > 0 => {
                    count_of_all += count;
                    client.lines.push(&bytes[..count]);
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break,
                // The process's end says the rest.
                _ => {
                    self.ranks[rank as usize] = None;
                    break;
                }
            }
            self.take_lines(rank, &mut heard);
        }
        heard
    }

    fn take_lines(&mut self, rank: u32, heard: &mut Vec<Heard>) {
        while let Some(client) = &mut self.ranks[rank as usize] {
            client.behind = client.unsent.len() >= UNREAD_MAX;
            if client.behind {
                return;
            }
            let line = match client.lines.take() {
                Ok(Some(line)) => line,
                Ok(None) => return,
                Err(why) => return self.give_up(rank, why.to_string(), heard),
            };
            if client.several {
                client.several = line != b"endcmd";
                if !client.several {
                    self.answer(rank, Message::new("spawn_result").with("rc", -1).with("msg", "hpvmrun_does_not_spawn"));
                }
                continue;
            }
            let several = line.starts_with(b"mcmd=");
            match Message::parse(&line) {
                Ok(_) if several => client.several = true,
                Ok(message) => {
                    if let Err(why) = self.obey(rank, &message, heard) {
                        return self.give_up(rank, why, heard);
                    }
                }
                Err(why) => return self.give_up(rank, why.to_string(), heard),
            }
        }
    }

    fn give_up(&mut self, rank: u32, why: String, heard: &mut Vec<Heard>) {
        self.ranks[rank as usize] = None;
        heard.push(Heard::Nonsense(why));
    }

    fn obey(&mut self, rank: u32, message: &Message, heard: &mut Vec<Heard>) -> Result<(), String> {
        let text = |why: hpvm_wire::pmi::Malformed| why.to_string();
        let answer = match message.command() {
            "init" => {
                let Some(client) = &mut self.ranks[rank as usize] else { return Ok(()) };
                client.greeted = true;
                let known = message.number::<u32>("pmi_version").map_err(text)? == 1;
                if known {
                    heard.push(Heard::Initialised);
                }
                let answer = Message::new("response_to_init").with("pmi_version", 1).with("pmi_subversion", 1);
                answer.with("rc", if known { 0 } else { -1 })
            }
            _ if !self.ranks[rank as usize].as_ref().is_some_and(|client| client.greeted) => return Err("it does not begin with init".into()),
            "get_maxes" => Message::new("maxes").with("kvsname_max", 256).with("keylen_max", KEY_MAX).with("vallen_max", VALUE_MAX),
            "get_appnum" => Message::new("appnum").with("appnum", self.appnums[rank as usize]),
            "get_universe_size" => Message::new("universe_size").with("size", self.ranks.len()),
            "get_my_kvsname" => Message::new("my_kvsname").with("kvsname", TABLE),
            "put" => self.put(rank, message.need("key").map_err(text)?, message.need("value").map_err(text)?),
            "get" => match self.table.get(message.need("key").map_err(text)?) {
                Some(value) => Message::new("get_result").with("rc", 0).with("msg", "success").with("value", value),
                None => Message::new("get_result").with("rc", -1).with("msg", "key_not_found").with("value", "unknown"),
            },
            "barrier_in" => {
                self.waiting.insert(rank);
                if self.waiting.len() == self.ranks.len() {
                    for other in std::mem::take(&mut self.waiting) {
                        self.answer(other, Message::new("barrier_out"));
                    }
                }
                return Ok(());
            }
            "finalize" => {
                heard.push(Heard::Finalised);
                Message::new("finalize_ack")
            }
            "abort" => {
                heard.push(Heard::Aborted { code: message.number("exitcode").unwrap_or(1) });
                return Ok(());
            }
            // Names of services, and what later versions may ask.
            other => Message::new(&format!("{other}_result")).with("rc", -1).with("msg", "hpvmrun_does_not_serve_this"),
        };
        self.answer(rank, answer);
        Ok(())
    }

    fn put(&mut self, rank: u32, key: &str, value: &str) -> Message {
        let put = &mut self.put[rank as usize];
        let fits = key.len() < KEY_MAX && value.len() < VALUE_MAX && *put < VALUES_MAX;
        if !fits {
            return Message::new("put_result").with("rc", -1).with("msg", "too_long_or_too_many");
        }
        *put += 1;
        self.table.insert(key.to_owned(), value.to_owned());
        Message::new("put_result").with("rc", 0).with("msg", "success")
    }

    fn answer(&mut self, rank: u32, message: Message) {
        if let Some(client) = &mut self.ranks[rank as usize] {
            client.unsent.extend_from_slice(message.to_line().as_bytes());
        }
    }

    fn flush(&mut self, at: usize) {
        while let Some(client) = self.ranks[at].as_mut().filter(|client| !client.unsent.is_empty()) {
            match rustix::net::send(&client.socket, &client.unsent, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => drop(client.unsent.drain(..count)),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => return,
                Err(_) => self.ranks[at] = None,
            }
        }
    }
}

/// `(vector,(0,2,1),(2,1,3))`: from node 0 on two nodes with a rank each, then node 2 with three, in the order of the ranks. `None` if it is too long.
fn mapping(plan: &Plan) -> Option<String> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for rank in &plan.ranks {
        match runs.last_mut() {
            Some((node, count)) if *node == rank.place.node => *count += 1,
            _ => runs.push((rank.place.node, 1)),
        }
    }
    let mut blocks: Vec<(u32, u32, u32)> = Vec::new();
    for (node, ranks) in runs {
        match blocks.last_mut() {
            Some((first, nodes, each)) if *each == ranks && *first + *nodes == node => *nodes += 1,
            _ => blocks.push((node, 1, ranks)),
        }
    }
    let text = blocks.iter().map(|(first, nodes, each)| format!(",({first},{nodes},{each})")).collect::<String>();
    Some(format!("(vector{text})")).filter(|text| text.len() < VALUE_MAX)
}

#[cfg(test)]
mod tests;
