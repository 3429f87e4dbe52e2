//! Ranks tell each other how they are reached: each has a [`Card`], and in the end all have everybody's.
//!
//! It goes over the sockets at which ranks listen anyway, before a device has them, and up and down a tree: a rank hears those below it, tells the one above,
//! is told everything by it, and passes that on. Nobody is done before everybody has spoken, so that no connection of a device can
//! come in between.
//!
//! ```text
//! child                                         parent
//!                                          ◀──  Challenge: the protocol's name and version, a nonce
//!   rank, nonce, length, cards, proof      ──▶
//!                                          ◀──  length, all cards, proof
//! ```
//! A proof is a hash (BLAKE3 with the job's key) of all that was said so far. Nothing of a card is looked at before its proof.

use hpvm_wire::Network;
use mpi_fm::{Result, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::rand::{GetRandomFlags, getrandom};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// What a rank tells the others of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its machine, for people.
    pub host: String,
    pub entries: Vec<Entry>,
}

/// How it is reached by a device, or why it is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub device: String,
    pub said: std::result::Result<String, String>,
}

impl Card {
    /// What it says of a device.
    pub fn entry(&self, device: &str) -> Option<&std::result::Result<String, String>> {
        self.entries.iter().find(|entry| entry.device == device).map(|entry| &entry.said)
    }

    fn to_text(&self) -> String {
        let line = |text: &str| text.replace('\n', " ");
        let mut text = line(&self.host) + "\n";
        for Entry { device, said } in &self.entries {
            let (word, said) = said.as_ref().map_or_else(|why| ("not", why), |card| ("card", card));
            text += &format!("{device} {word} {}\n", line(said));
        }
        text
    }

    fn parse(text: &str) -> Option<Card> {
        let mut lines = text.lines();
        let host = lines.next()?.to_owned();
        let entry = |line: &str| {
            let (device, rest) = line.split_once(' ')?;
            let said = match rest.split_once(' ')? {
                ("card", card) => Ok(card.to_owned()),
                ("not", why) => Err(why.to_owned()),
                _ => return None,
            };
            Some(Entry { device: device.into(), said })
        };
        Some(Card { host, entries: lines.map(entry).collect::<Option<_>>()? })
    }
}

/// So many ranks tell theirs to one above them.
const CHILDREN: usize = 16;

/// A card is shorter.
const CARD_MAX: usize = 8 << 10;

/// Name and version of the protocol.
const MAGIC: [u8; 8] = *b"HPVMcrd\x01";
const NONCE: usize = 16;
const PROOF: usize = blake3::OUT_LEN;
const CHALLENGE: usize = MAGIC.len() + NONCE;
/// Rank, nonce, length.
const HEAD: usize = 4 + NONCE + 4;

/// So many connections may wait to be understood, beyond those that are expected; then the oldest goes.
const STRANGERS: usize = 64;

/// How long a rank above may take to accept a call.
const PATIENCE: Duration = Duration::from_secs(7);

/// How long this rank waits with its words for the launcher's: that a rank is gone, and why.
const RESPITE: Duration = Duration::from_secs(2);

/// All ranks' cards, in their order. Called by all of them, before `listener` serves anything else.
///
/// # Errors
/// `MPI_ERR_OTHER` when a rank cannot be reached, or leaves.
pub fn exchange(listener: &TcpListener, network: &Network, me: u32, own: &Card) -> Result<Vec<Card>> {
    let tree = Tree { network, me: me as usize };
    match tree.exchange(listener, own) {
        Ok(all) => Ok(all),
        Err(error) => {
            std::thread::sleep(RESPITE);
            bail!(OTHER, "the ranks could not tell each other how they are reached: {error}")
        }
    }
}

struct Tree<'n> {
    network: &'n Network,
    me: usize,
}

/// Cards with their ranks.
type Cards = Vec<(usize, Card)>;

impl Tree<'_> {
    fn exchange(&self, listener: &TcpListener, own: &Card) -> io::Result<Vec<Card>> {
        let (children, cards) = self.hear(listener)?;
        let mut known = cards;
        // As the others read it.
        known.push((self.me, Card::parse(&own.to_text()).ok_or_else(|| nonsense("this rank's own card is none"))?));
        if self.me > 0 {
            known = self.tell(&known)?;
        }
        let bytes = written(&known);
        for child in children {
            let Caller { mut stream, challenge, said, .. } = child;
            let proof = self.prove(b"all cards", &[&challenge, &said[..HEAD], &bytes]);
            stream.set_nonblocking(false)?;
            stream.write_all(&[&(bytes.len() as u32).to_le_bytes()[..], &bytes, proof.as_bytes()].concat())?;
        }
        known.sort_by_key(|(rank, _)| *rank);
        let whole = known.iter().map(|(rank, _)| *rank).eq(0..self.network.peers.len());
        if whole { Ok(known.into_iter().map(|(_, card)| card).collect()) } else { Err(nonsense("not everybody's card came")) }
    }

    /// The ranks directly below.
    fn children(&self) -> std::ops::Range<usize> {
        let end = self.network.peers.len();
        (self.me * CHILDREN + 1).min(end)..((self.me + 1) * CHILDREN + 1).min(end)
    }

    /// Whether `rank` is below `above`, or is it.
    fn is_below(mut rank: usize, above: usize) -> bool {
        while rank > above {
            rank = (rank - 1) / CHILDREN;
        }
        rank == above
    }

    /// How many ranks are below `rank`, with itself.
    fn count_below(&self, rank: usize) -> usize {
        let (mut level, mut count) = (rank..rank + 1, 0);
        while level.start < self.network.peers.len() {
            count += level.end.min(self.network.peers.len()) - level.start;
            level = level.start * CHILDREN + 1..level.end * CHILDREN + 1;
        }
        count
    }

    fn prove(&self, role: &[u8], said: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.network.key);
        hasher.update(role);
        for part in said {
            hasher.update(part);
        }
        hasher.finalize()
    }

    /// Hears all children: their connections, which wait for an answer, and what they know.
    fn hear(&self, listener: &TcpListener) -> io::Result<(Vec<Caller>, Cards)> {
        let expected = self.children();
        let (mut heard, mut callers): (Vec<Caller>, Vec<Caller>) = (Vec::new(), Vec::new());
        let mut known = Cards::new();
        if !expected.is_empty() {
            listener.set_nonblocking(true)?;
        }
        while heard.len() < expected.len() {
            wait(listener, &callers);
            while let Ok((stream, _)) = listener.accept() {
                callers.extend(Caller::new(stream));
                if callers.len() > STRANGERS + expected.len() {
                    callers.remove(0);
                }
            }
            for mut caller in std::mem::take(&mut callers) {
                match caller.hear(self) {
                    Heard::Nothing => callers.push(caller),
                    Heard::Stranger => (),
                    Heard::All(rank, _) if heard.iter().any(|known| known.rank == rank) => (),
                    Heard::All(rank, cards) => {
                        known.extend(cards);
                        heard.push(Caller { rank, ..caller });
                    }
                }
            }
        }
        Ok((heard, known))
    }

    /// Tells the rank above what is known here, and is told the rest.
    fn tell(&self, known: &Cards) -> io::Result<Cards> {
        let above = (self.me - 1) / CHILDREN;
        let address = self.network.peers[above].address;
        let of = |what: &'static str| move |error: io::Error| io::Error::new(error.kind(), format!("rank {above} at {address} {what}: {error}"));
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(of("cannot be reached"))?;
        let mut challenge = [0; CHALLENGE];
        stream.read_exact(&mut challenge).map_err(of("has left"))?;
        if !challenge.starts_with(&MAGIC) {
            return Err(nonsense("who answers there is no rank that tells its card"));
        }
        let bytes = written(known);
        let head: Vec<u8> = [&(self.me as u32).to_le_bytes()[..], &nonce()?, &(bytes.len() as u32).to_le_bytes()].concat();
        let proof = self.prove(b"cards", &[&challenge, &head, &bytes]);
        stream.write_all(&[&head, &bytes, &proof.as_bytes()[..]].concat()).map_err(of("has left"))?;
        let mut length = [0; 4];
        stream.read_exact(&mut length).map_err(of("has left"))?;
        let length = u32::from_le_bytes(length) as usize;
        if length > self.network.peers.len() * CARD_MAX {
            return Err(nonsense("who answers there says too much"));
        }
        let mut answer = Vec::new();
        (&mut stream).take((length + PROOF) as u64).read_to_end(&mut answer).map_err(of("has left"))?;
        match answer.split_at_checked(length) {
            Some((all, proof)) if self.prove(b"all cards", &[&challenge, &head, all]) == *proof => {
                read(all, |_| true).ok_or_else(|| nonsense("what came are no cards"))
            }
            _ => Err(nonsense("who answers there has left, or does not have the job's key")),
        }
    }
}

/// Until somebody calls or has something to say.
fn wait(listener: &TcpListener, callers: &[Caller]) {
    let mut polled = vec![PollFd::new(listener, PollFlags::IN)];
    polled.extend(callers.iter().map(|caller| PollFd::new(&caller.stream, PollFlags::IN)));
    // Interrupted: everything is looked at in any case.
    let _ = poll(&mut polled, None);
}

/// A connection from below, or from a stranger.
struct Caller {
    stream: TcpStream,
    challenge: [u8; CHALLENGE],
    said: Vec<u8>,
    rank: usize,
}

enum Heard {
    Nothing,
    Stranger,
    All(usize, Cards),
}

impl Caller {
    fn new(mut stream: TcpStream) -> Option<Caller> {
        let nonce = nonce().ok()?;
        let mut challenge = [0; CHALLENGE];
        challenge[..MAGIC.len()].copy_from_slice(&MAGIC);
        challenge[MAGIC.len()..].copy_from_slice(&nonce);
        stream.set_nonblocking(true).ok()?;
        // A new socket takes that many bytes at once.
        let told = stream.write(&challenge).is_ok_and(|count| count == CHALLENGE);
        told.then_some(Caller { stream, challenge, said: Vec::new(), rank: 0 })
    }

    fn hear(&mut self, tree: &Tree) -> Heard {
        loop {
            let Some(whole) = self.whole(tree) else { return Heard::Stranger };
            if self.said.len() == whole && whole > HEAD {
                return self.understand(tree);
            }
            let start = self.said.len();
            self.said.resize(whole.min(start + (64 << 10)), 0);
            let count = match self.stream.read(&mut self.said[start..]) {
                Ok(0) => return Heard::Stranger,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => {
                    self.said.truncate(start);
                    return if error.kind() == ErrorKind::WouldBlock { Heard::Nothing } else { Heard::Stranger };
                }
            };
            self.said.truncate(start + count);
        }
    }

    /// How many bytes it will say, as far as is known; `None` if that is too much.
    fn whole(&self, tree: &Tree) -> Option<usize> {
        let Some(head) = self.said.first_chunk::<HEAD>() else { return Some(HEAD) };
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| head[at + byte])) as usize;
        let (rank, length) = (word(0), word(HEAD - 4));
        (tree.children().contains(&rank) && length <= tree.count_below(rank) * CARD_MAX).then_some(HEAD + length + PROOF)
    }

    fn understand(&self, tree: &Tree) -> Heard {
        let (said, proof) = self.said.split_at(self.said.len() - PROOF);
        let (head, bytes) = said.split_at(HEAD);
        if tree.prove(b"cards", &[&self.challenge, head, bytes]) != *proof {
            return Heard::Stranger;
        }
        let rank = u32::from_le_bytes(std::array::from_fn(|byte| head[byte])) as usize;
        read(bytes, |one| Tree::is_below(one, rank)).map_or(Heard::Stranger, |cards| Heard::All(rank, cards))
    }
}

/// Cards as bytes: rank, length, text.
fn written(cards: &Cards) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (rank, card) in cards {
        let text = card.to_text();
        let text = if text.len() < CARD_MAX - 8 { text } else { format!("{}\n", card.host) };
        bytes.extend_from_slice(&(*rank as u32).to_le_bytes());
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// The cards of ranks that may be among them.
fn read(mut bytes: &[u8], may: impl Fn(usize) -> bool) -> Option<Cards> {
    let mut cards = Cards::new();
    while !bytes.is_empty() {
        let (rank, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let rank = u32::from_le_bytes(*rank) as usize;
        if !may(rank) {
            return None;
        }
        cards.push((rank, Card::parse(str::from_utf8(text).ok()?)?));
        bytes = rest;
    }
    Some(cards)
}

fn nonce() -> io::Result<[u8; NONCE]> {
    let mut bytes = [0; NONCE];
    // So few come whole.
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(bytes)
}

fn nonsense(text: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, text)
}

#[cfg(fuzzing)]
pub mod fuzz {
    //! What drives this module for the fuzz target `cards`: built with `--cfg fuzzing` only.

    use super::*;
    use hpvm_wire::network::At;
    use std::net::SocketAddr;
    use std::sync::LazyLock;

    const RANKS: usize = 40;

    static STREAM: LazyLock<TcpStream> = LazyLock::new(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        TcpStream::connect(listener.local_addr().expect("a port has a number")).expect("a connection")
    });

    /// What a rank below says to rank 0: first the rank, then its cards. Who has the key is told apart from who has not, and speaks of ranks below it only.
    pub fn run(data: &[u8]) {
        if let Some(cards) = read(data, |_| true) {
            assert!(read(&written(&cards), |_| true).is_some_and(|again| again.len() == cards.len()));
        }
        let Some((rank, bytes)) = data.split_first() else { return };
        let at = At { node: 0, address: SocketAddr::from(([127, 0, 0, 1], 9)), ways: Vec::new() };
        let network = Network { key: [3; 32], encrypt: false, shared_memory: true, cards: true, explain: false, here: Vec::new(), peers: vec![at; RANKS] };
        let (tree, challenge) = (Tree { network: &network, me: 0 }, [1; CHALLENGE]);
        let head = [&u32::from(*rank).to_le_bytes()[..], &[2; NONCE], &(bytes.len() as u32).to_le_bytes()].concat();
        let proof = tree.prove(b"cards", &[&challenge, &head, bytes]);
        let stream = STREAM.try_clone().expect("a descriptor");
        let mut caller = Caller { stream, challenge, said: [&head[..], bytes, &proof.as_bytes()[..]].concat(), rank: 0 };
        let Some(whole) = caller.whole(&tree) else { return };
        assert!(whole == caller.said.len() && tree.children().contains(&usize::from(*rank)));
        if let Heard::All(from, cards) = caller.understand(&tree) {
            assert!(from == usize::from(*rank) && cards.iter().all(|(one, _)| Tree::is_below(*one, from)));
        }
        let last = caller.said.len() - 1;
        caller.said[last] ^= 1;
        assert!(matches!(caller.understand(&tree), Heard::Stranger));
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let entry = |device: &str, said| Entry { device: device.into(), said };
        let card = || Card { host: "n1".into(), entries: vec![entry("servernet", Ok("a b".into())), entry("via", Err("it is not there".into()))] };
        [vec![], vec![(1, card())], vec![(2, card()), (33, card()), (34, Card { host: String::new(), entries: Vec::new() })]]
            .map(|cards| [&[cards.first().map_or(1, |(rank, _)| *rank as u8)], &written(&cards)[..]].concat())
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpvm_wire::network::At;

    fn card(rank: usize) -> Card {
        let said = |device: &str, said| Entry { device: device.into(), said };
        let entries = vec![said("servernet", Ok(format!("{rank} a b"))), said("via", Err("it is\nnot there".into()))];
        Card { host: format!("n{rank}"), entries }
    }

    fn network(listeners: &[TcpListener]) -> Network {
        let at = |listener: &TcpListener| At { node: 0, address: listener.local_addr().unwrap(), ways: Vec::new() };
        let peers = listeners.iter().map(at).collect();
        Network { key: [3; 32], encrypt: false, shared_memory: true, cards: true, explain: false, here: Vec::new(), peers }
    }

    #[test]
    fn everybody_learns_everybodys_card_among_strangers() {
        // Three levels.
        let listeners: Vec<_> = (0..CHILDREN * 3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let network = network(&listeners);
        let strangers: Vec<_> = (0..3 * STRANGERS)
            .map(|number| {
                let mut stream = TcpStream::connect(network.peers[number % 3].address).unwrap();
                let rank = (1 + number % 20) as u32;
                let words = [&rank.to_le_bytes()[..], &[7; NONCE], &[40, 0, 0, 0], &vec![b'x'; number % 90]].concat();
                stream.write_all(&words).unwrap();
                stream
            })
            .collect();
        let all = std::thread::scope(|scope| {
            let (network, listeners) = (&network, &listeners);
            let ranks: Vec<_> = (0..listeners.len())
                .map(|rank| scope.spawn(move || Tree { network, me: rank }.exchange(&listeners[rank], &card(rank)).unwrap()))
                .collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect::<Vec<_>>()
        });
        drop(strangers);
        let mut expected: Vec<_> = (0..listeners.len()).map(card).collect();
        expected.iter_mut().for_each(|card| card.entries[1].said = Err("it is not there".into()));
        assert!(all.iter().all(|cards| *cards == expected));
    }

    #[test]
    fn who_does_not_have_the_key_is_not_believed() {
        let listeners: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ours = network(&listeners);
        let theirs = Network { key: [4; 32], ..network(&listeners) };
        let told = std::thread::scope(|scope| {
            let liar = scope.spawn(|| Tree { network: &theirs, me: 1 }.tell(&vec![(1, card(1))]).unwrap_err().to_string());
            let parent = scope.spawn(|| Tree { network: &ours, me: 0 }.exchange(&listeners[0], &card(0)));
            let told = liar.join().unwrap();
            // The true one is heard all the same.
            Tree { network: &ours, me: 1 }.exchange(&listeners[1], &card(1)).unwrap();
            parent.join().unwrap().unwrap();
            told
        });
        assert!(told.contains("has left"), "{told}");
    }

    #[test]
    fn what_is_no_card_is_refused() {
        let bytes = written(&vec![(3, card(3)), (4, card(4))]);
        assert_eq!(read(&bytes, |_| true).unwrap().len(), 2);
        assert!(read(&bytes, |rank| rank == 3).is_none(), "somebody else's");
        for cut in 1..bytes.len() {
            assert!(read(&bytes[..cut], |_| true).is_none_or(|cards| cards.len() == 1), "{cut}");
        }
        assert_eq!(Card::parse("host\nvia perhaps x\n"), None);
        assert_eq!(Card::parse(""), None);
        let long = Card { host: "h".into(), entries: vec![Entry { device: "via".into(), said: Ok("x".repeat(CARD_MAX)) }] };
        assert!(written(&vec![(0, long)]).len() < CARD_MAX, "it says nothing then");
        assert!(Tree::is_below(35, 2) && Tree::is_below(2, 2) && !Tree::is_below(35, 1) && !Tree::is_below(1, 2));
    }
}
