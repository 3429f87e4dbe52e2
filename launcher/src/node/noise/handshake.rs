//! How caller and daemon agree on the keys of a connection, and know with whom.
//!
//! ```text
//! caller                                            daemon
//! HPVM, versions 1 to 1, → e, es                →
//!                                               ←   HPVM, version 1, ← e, ee, [version]
//! HPVM, version 1, → s, se, [what it wants]     →
//! ```
//! Who does not know the daemon's public key cannot make the first message, and gets no answer at all. Each message has 8 bytes before it:
//! four letters, two numbers of versions, and its length.

use std::str;

use snow::{Builder, HandshakeState};

use super::keys::{Key, KeyPair};
use super::sealed::Session;

/// The versions of this handshake that this program speaks; what is said afterwards has versions of its own (`node/greeting.rs`).
const OLDEST: u8 = 1;
const NEWEST: u8 = 1;

const PATTERN: &str = "Noise_XK_25519_ChaChaPoly_BLAKE2s";
const LETTERS: [u8; 4] = *b"HPVM";
const HEAD: usize = 8;
/// No message of a handshake is longer.
pub const MESSAGE_MAX: usize = 512;

/// What a caller wants: to be this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub user: String,
}

impl Wish {
    fn encode(&self) -> Vec<u8> {
        format!("job\n{}", self.user).into_bytes()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let user = str::from_utf8(bytes).ok()?.strip_prefix("job\n")?;
        let is_name = !user.is_empty() && user.len() <= 64 && !user.starts_with('-') && user.chars().all(|letter| letter.is_alphanumeric() || "._-@\\+".contains(letter));
        is_name.then(|| Self { user: user.into() })
    }
}

/// Two numbers of versions and a message, and how many bytes they take.
type Message<'b> = ([u8; 2], &'b [u8], usize);

/// The message with which `bytes` begin; `None` until all of it is here.
fn message(bytes: &[u8]) -> Result<Option<Message<'_>>, ()> {
    let known = bytes.len().min(LETTERS.len());
    if bytes[..known] != LETTERS[..known] {
        return Err(());
    }
    let Some(head) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    let length = usize::from(u16::from_le_bytes([head[6], head[7]]));
    if length > MESSAGE_MAX {
        return Err(());
    }
    Ok(bytes.get(HEAD..HEAD + length).map(|message| ([head[4], head[5]], message, HEAD + length)))
}

fn head(versions: [u8; 2], length: usize) -> [u8; HEAD] {
    let length = (length as u16).to_le_bytes();
    let [a, b, c, d] = LETTERS;
    [a, b, c, d, versions[0], versions[1], length[0], length[1]]
}

/// A message of the handshake with `payload`, ready to leave.
fn write(noise: &mut HandshakeState, versions: [u8; 2], payload: &[u8]) -> Result<Vec<u8>, snow::Error> {
    let mut message = [0; MESSAGE_MAX];
    let length = noise.write_message(payload, &mut message)?;
    Ok([&head(versions, length), &message[..length]].concat())
}

/// Both sides have to have seen the same offer.
fn builder(offer: [u8; 2]) -> Result<(Builder<'static>, Vec<u8>), snow::Error> {
    Ok((Builder::new(PATTERN.parse()?), [&LETTERS[..], &offer].concat()))
}

/// The keys, of which the first is the caller's.
fn split(mut noise: HandshakeState, is_caller: bool) -> Session {
    let (callers, daemons) = noise.dangerously_get_raw_split();
    if is_caller { Session { sending: callers, receiving: daemons } } else { Session { sending: daemons, receiving: callers } }
}

/// `hpvmrun`'s side.
#[derive(Debug)]
pub struct Caller {
    noise: Option<Box<HandshakeState>>,
    wish: Wish,
}

impl Caller {
    /// The caller, and its first message.
    pub fn new(own: &KeyPair, daemon: Key, wish: Wish) -> Result<(Self, Vec<u8>), String> {
        let start = || {
            let (builder, prologue) = builder([OLDEST, NEWEST])?;
            let mut noise = builder.local_private_key(&own.secret)?.remote_public_key(&daemon.0)?.prologue(&prologue)?.build_initiator()?;
            let first = write(&mut noise, [OLDEST, NEWEST], &[])?;
            Ok((noise, first))
        };
        let (noise, first) = start().map_err(|error: snow::Error| format!("no handshake with its hpvmd: {error}"))?;
        Ok((Self { noise: Some(Box::new(noise)), wish }, first))
    }

    /// Takes the daemon's answer from `raw`, when all of it is there: the last message, and the keys.
    pub fn hear(&mut self, raw: &mut Vec<u8>) -> Result<Option<(Vec<u8>, Session)>, String> {
        let ([version, newest], answer, taken) = match message(raw) {
            Ok(Some(parts)) => parts,
            Ok(None) => return Ok(None),
            Err(()) => return Err("what answers at its port is no hpvmd".into()),
        };
        if version == 0 || answer.is_empty() {
            return Err(format!("its hpvmd speaks handshakes up to {newest}, this hpvmrun {OLDEST} to {NEWEST}: install the same version there"));
        }
        let Some(mut noise) = self.noise.take() else { return Err("its hpvmd has answered twice".into()) };
        let mut chosen = [0; MESSAGE_MAX];
        let wrong = |_| "its hpvmd does not hold the key that belongs to the host-key known for it".to_owned();
        let length = noise.read_message(answer, &mut chosen).map_err(wrong)?;
        // Told once more under the key, where nobody can change it.
        if length != 1 || chosen[0] != version || !(OLDEST..=NEWEST).contains(&version) {
            return Err(format!("its hpvmd has chosen handshake {version}, which was not offered"));
        }
        let last = write(&mut noise, [version; 2], &self.wish.encode()).map_err(|error| format!("no handshake with its hpvmd: {error}"))?;
        raw.drain(..taken);
        Ok(Some((last, split(*noise, true))))
    }
}

/// The daemon's side.
#[derive(Debug, Default)]
pub struct Host {
    noise: Option<Box<HandshakeState>>,
    greeted: bool,
}

/// What a caller's bytes have led to.
#[derive(Debug)]
pub enum Heard {
    /// More is to come.
    Nothing,
    /// This is to be sent, and more is to come.
    Answer(Vec<u8>),
    /// This is to be sent, and then it is over: the versions do not match.
    Farewell(Vec<u8>),
    /// It holds the secret of this key.
    Known { key: Key, wish: Wish, session: Session },
}

/// It is no caller of ours, or does not know the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger;

impl Host {
    /// It knows our public key.
    pub fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Takes a message from `raw`, when all of it is there.
    pub fn hear(&mut self, own: &KeyPair, raw: &mut Vec<u8>) -> Result<Heard, Stranger> {
        let (versions, text, taken) = match message(raw) {
            Ok(Some(parts)) => parts,
            Ok(None) => return Ok(Heard::Nothing),
            Err(()) => return Err(Stranger),
        };
        let heard = match self.noise.take() {
            None if self.greeted => Err(Stranger),
            None => self.greet(own, versions, text),
            Some(noise) => recognise(*noise, text),
        };
        raw.drain(..taken);
        heard
    }

    fn greet(&mut self, own: &KeyPair, [oldest, newest]: [u8; 2], text: &[u8]) -> Result<Heard, Stranger> {
        let version = NEWEST.min(newest);
        if version < OLDEST.max(oldest) {
            return Ok(Heard::Farewell(head([0, NEWEST], 0).to_vec()));
        }
        let answer = || {
            let (builder, prologue) = builder([oldest, newest])?;
            let mut noise = builder.local_private_key(&own.secret)?.prologue(&prologue)?.build_responder()?;
            let mut payload = [0; MESSAGE_MAX];
            noise.read_message(text, &mut payload)?;
            let answer = write(&mut noise, [version, NEWEST], &[version])?;
            Ok((noise, answer))
        };
        let (noise, answer) = answer().map_err(|_: snow::Error| Stranger)?;
        self.noise = Some(Box::new(noise));
        self.greeted = true;
        Ok(Heard::Answer(answer))
    }
}

fn recognise(mut noise: HandshakeState, text: &[u8]) -> Result<Heard, Stranger> {
    let mut payload = [0; MESSAGE_MAX];
    let length = noise.read_message(text, &mut payload).map_err(|_| Stranger)?;
    let wish = Wish::decode(&payload[..length]).ok_or(Stranger)?;
    let key = noise.get_remote_static().and_then(|key| key.try_into().ok()).ok_or(Stranger)?;
    Ok(Heard::Known { key: Key(key), wish, session: split(noise, false) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair(number: u8) -> KeyPair {
        KeyPair::of([number; 32]).unwrap()
    }

    fn ann() -> Wish {
        Wish { user: "ann".into() }
    }

    #[test]
    fn both_end_with_the_same_keys_and_the_daemon_knows_whom() {
        let (own, daemon) = (pair(1), pair(2));
        let (mut caller, mut first) = Caller::new(&own, daemon.public, ann()).unwrap();
        let mut host = Host::default();
        let mut half = first.split_off(20);
        assert!(matches!(host.hear(&daemon, &mut first), Ok(Heard::Nothing)));
        first.append(&mut half);
        let Ok(Heard::Answer(mut answer)) = host.hear(&daemon, &mut first) else { panic!("no answer") };
        let (mut last, ours) = caller.hear(&mut answer).unwrap().unwrap();
        let Ok(Heard::Known { key, wish, session }) = host.hear(&daemon, &mut last) else { panic!("not known") };
        assert_eq!((key, wish), (own.public, ann()));
        assert_eq!(session, Session { sending: ours.receiving, receiving: ours.sending });
    }

    #[test]
    fn who_does_not_know_the_daemons_key_gets_nothing() {
        let (_, mut first) = Caller::new(&pair(1), pair(3).public, ann()).unwrap();
        assert_eq!(Host::default().hear(&pair(2), &mut first).err(), Some(Stranger));
    }

    #[test]
    fn a_daemon_without_its_key_is_noticed() {
        let (mut caller, mut first) = Caller::new(&pair(1), pair(2).public, ann()).unwrap();
        let Ok(Heard::Answer(mut answer)) = Host::default().hear(&pair(2), &mut first) else { panic!("no answer") };
        let at = answer.len() - 1;
        answer[at] ^= 1;
        assert!(caller.hear(&mut answer).unwrap_err().contains("host-key"));
        let mut nonsense = b"SSH-2.0-OpenSSH".to_vec();
        assert!(caller.hear(&mut nonsense).unwrap_err().contains("no hpvmd"));
    }

    #[test]
    fn other_versions_are_named() {
        let (mut caller, mut first) = Caller::new(&pair(1), pair(2).public, ann()).unwrap();
        first[4..6].copy_from_slice(&[7, 9]);
        let Ok(Heard::Farewell(mut answer)) = Host::default().hear(&pair(2), &mut first) else { panic!("no farewell") };
        assert!(caller.hear(&mut answer).unwrap_err().contains("handshakes up to 1"));
    }

    #[test]
    fn an_offer_that_was_changed_on_the_way_is_noticed() {
        let (_, mut first) = Caller::new(&pair(1), pair(2).public, ann()).unwrap();
        first[5] = 9;
        assert_eq!(Host::default().hear(&pair(2), &mut first).err(), Some(Stranger));
    }

    #[test]
    fn names_are_names() {
        for (bytes, is_name) in [(&b"job\nann"[..], true), (b"job\n", false), (b"job\n-x", false), (b"job\na/b", false), (b"probe\nann", false), (b"job\na\0", false)] {
            assert_eq!(Wish::decode(bytes).is_some(), is_name, "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), right in any::<bool>(), length in 0..300_u16) {
            if right {
                bytes.splice(0..0, head([1, 1], usize::from(length)));
            }
            let is_let_in = matches!(Host::default().hear(&pair(2), &mut bytes.clone()), Ok(Heard::Known { .. } | Heard::Answer(_)));
            let (mut caller, _) = Caller::new(&pair(1), pair(2).public, ann()).unwrap();
            prop_assert!(!is_let_in && !matches!(caller.hear(&mut bytes), Ok(Some(_))));
        }
    }
}
