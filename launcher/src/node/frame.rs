//! What goes between `hpvmrun`'s machine and a node: a length, a kind, and what belongs to it.

use hpvm_wire::status::Snapshot;

use crate::link::Message;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// To the node: a [`super::job::NodeJob`].
    Job(Vec<u8>),
    /// To the node, when all nodes are ready: a [`hpvm_wire::Network`] as text. Its ranks start.
    Network(Vec<u8>),
    /// To the node: what `hpvmrun` tells its keeper.
    Order(Message),
    /// To the node: bytes for rank 0's stdin; none at the end.
    Stdin(Vec<u8>),
    /// From the node: at these ports its ranks listen. `connection` is ssh's word on who talks to whom, empty without ssh.
    Ready { connection: String, ports: Vec<u16> },
    /// From the node: what a keeper tells `hpvmrun`, with the ranks' numbers in the job.
    Report(Message),
    /// From the node: what a rank wrote to stdout (0) or stderr (1); no bytes at the end.
    Output { rank: u32, stream: u8, bytes: Vec<u8> },
    /// From the node: a rank's status line. `since_ns` is how long ago.
    Line { rank: u32, line: Snapshot },
    /// From the node: so many bytes of rank 0's stdin were passed on.
    Taken(u32),
    /// From the node: why it cannot go on.
    Refused(String),
    /// To the node, first of all: the protocol to be spoken, and after how many milliseconds silence is an end; 0 for never.
    Hello { protocol: u32, silence: u32 },
    /// Both ways: nothing, to be heard.
    Beat,
    /// To the node: so many bytes of its ranks' output were passed on.
    Shown(u32),
}

/// A frame that is longer is none.
const LENGTH_MAX: usize = 64 << 20;

/// What the start of a stream of bytes is.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A frame, and how many bytes it took.
    Frame(Frame, usize),
    Incomplete,
    Nonsense,
}

impl Frame {
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let mut writer = Writer(out);
        // The length comes last.
        writer.u32(0);
        match self {
            Self::Job(bytes) => writer.kind(1).raw(bytes),
            Self::Network(bytes) => writer.kind(2).raw(bytes),
            Self::Order(message) => writer.kind(3).words(&message.encode()),
            Self::Stdin(bytes) => writer.kind(4).raw(bytes),
            Self::Ready { connection, ports } => {
                writer.kind(5).bytes(connection.as_bytes());
                ports.iter().for_each(|port| writer.u32((*port).into()));
                &mut writer
            }
            Self::Report(message) => writer.kind(6).words(&message.encode()),
            Self::Output { rank, stream, bytes } => writer.kind(7).words(&[*rank, (*stream).into()]).raw(bytes),
            Self::Line { rank, line } => writer.kind(8).words(&[*rank]).words(&line.to_words()),
            Self::Taken(count) => writer.kind(9).words(&[*count]),
            Self::Refused(text) => writer.kind(10).raw(text.as_bytes()),
            Self::Hello { protocol, silence } => writer.kind(11).words(&[*protocol, *silence]),
            Self::Beat => writer.kind(12),
            Self::Shown(count) => writer.kind(13).words(&[*count]),
        };
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    }

    pub fn decode(bytes: &[u8]) -> Decoded {
        let Some((length, rest)) = bytes.split_first_chunk() else { return Decoded::Incomplete };
        let length = u32::from_le_bytes(*length) as usize;
        if length > LENGTH_MAX {
            return Decoded::Nonsense;
        }
        match rest.get(..length).map(|body| Self::of_body(Reader(body))) {
            None => Decoded::Incomplete,
            Some(None) => Decoded::Nonsense,
            Some(Some(frame)) => Decoded::Frame(frame, 4 + length),
        }
    }

    fn of_body(mut body: Reader) -> Option<Self> {
        Some(match body.u32()? {
            1 => Self::Job(body.rest()),
            2 => Self::Network(body.rest()),
            3 => Self::Order(Message::decode(body.words()?)?),
            4 => Self::Stdin(body.rest()),
            5 => {
                let connection = body.text()?;
                let mut ports = Vec::new();
                while !body.0.is_empty() {
                    ports.push(body.u32()?.try_into().ok()?);
                }
                Self::Ready { connection, ports }
            }
            6 => Self::Report(Message::decode(body.words()?)?),
            7 => Self::Output { rank: body.u32()?, stream: body.u32()?.try_into().ok()?, bytes: body.rest() },
            8 => Self::Line { rank: body.u32()?, line: Snapshot::from_words(body.words()?) },
            9 => Self::Taken(body.u32()?),
            10 => Self::Refused(String::from_utf8_lossy(body.0).into_owned()),
            11 => Self::Hello { protocol: body.u32()?, silence: body.u32()? },
            12 => Self::Beat,
            13 => Self::Shown(body.u32()?),
            _ => return None,
        })
    }
}

/// Appends numbers and strings.
pub struct Writer<'o>(pub &'o mut Vec<u8>);

impl Writer<'_> {
    pub fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A string, with its length before it.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.0.extend_from_slice(bytes);
    }

    fn kind(&mut self, kind: u32) -> &mut Self {
        self.u32(kind);
        self
    }

    pub fn words(&mut self, words: &[u32]) -> &mut Self {
        words.iter().for_each(|word| self.u32(*word));
        self
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// Takes them off again.
pub struct Reader<'b>(pub &'b [u8]);

impl<'b> Reader<'b> {
    pub fn u32(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*word))
    }

    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.u32()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn words<const COUNT: usize>(&mut self) -> Option<[u32; COUNT]> {
        let mut words = [0; COUNT];
        for word in &mut words {
            *word = self.u32()?;
        }
        Some(words)
    }

    fn text(&mut self) -> Option<String> {
        Some(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::End;

    #[test]
    fn frames_arrive_as_they_were_sent() {
        let frames = [
            Frame::Job(vec![1, 2, 3]),
            Frame::Network(Vec::new()),
            Frame::Order(Message::Signal { number: 15 }),
            Frame::Stdin(b"input".to_vec()),
            Frame::Ready { connection: "192.0.2.1 50000 192.0.2.2 22".into(), ports: vec![1, 65535] },
            Frame::Report(Message::Ended { rank: 7, end: End::Signal { number: 6, core: true } }),
            Frame::Output { rank: 3, stream: 1, bytes: b"output".to_vec() },
            Frame::Line { rank: 9, line: Snapshot::from_words(std::array::from_fn(|at| at as u32 + 1)) },
            Frame::Taken(70_000),
            Frame::Refused("no memory".into()),
            Frame::Hello { protocol: 3, silence: 10_000 },
            Frame::Beat,
            Frame::Shown(65_536),
        ];
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.encode(&mut bytes));
        let mut left = &bytes[..];
        for frame in frames {
            let Decoded::Frame(found, length) = Frame::decode(left) else { panic!("{frame:?} is not decoded") };
            assert_eq!(found, frame);
            for cut in 0..length {
                assert_eq!(Frame::decode(&left[..cut]), Decoded::Incomplete);
            }
            left = &left[length..];
        }
        assert!(left.is_empty());
    }

    /// Whatever comes is a frame, a part of one or none, and what is a frame is written as it was read.
    #[test]
    fn no_bytes_are_too_strange() {
        let mut state = 1_u64;
        let mut random = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let mut found = 0;
        for _ in 0..100_000 {
            let length = random(48);
            let mut bytes: Vec<u8> = (0..length).map(|_| random(256) as u8).collect();
            // A kind that may exist, and numbers that are small.
            bytes.iter_mut().skip(1).step_by(2).for_each(|byte| *byte = 0);
            let frame: Vec<u8> = [(length as u32 + 4).to_le_bytes(), (random(16) as u32).to_le_bytes()].concat().into_iter().chain(bytes).collect();
            crate::node::job::NodeJob::decode(&frame);
            if let Decoded::Frame(decoded, taken) = Frame::decode(&frame) {
                let mut again = Vec::new();
                decoded.encode(&mut again);
                assert!(taken == frame.len() && matches!(Frame::decode(&again), Decoded::Frame(same, _) if same == decoded), "{decoded:?}");
                found += 1;
            }
        }
        assert!(found > 10_000, "{found}");
    }

    /// The newest protocol, and the sum of all frames and what they hold, as they look on their way.
    const KNOWN: (u32, u64) = (4, 0xa620_3454_3b2f_e050);

    #[test]
    fn a_changed_frame_has_another_protocol() {
        use crate::node::{greeting, job};

        let mut bytes = job::tests::sample().encode();
        let place = |end| Message::Ended { rank: 7, end };
        let messages = [
            Message::Hello { pid: 1 },
            Message::Started { rank: 1, pid: 2 },
            Message::NotStarted { rank: 1, step: 2, errno: 3 },
            place(End::Status(3)),
            place(End::Signal { number: 6, core: true }),
            place(End::Signal { number: 6, core: false }),
            Message::Vanished { rank: 1 },
            Message::Done,
            Message::Beat,
            Message::Reached { machines: 1 },
            Message::Signal { number: 15 },
            Message::Finish,
            Message::Look,
        ];
        let others = [
            Frame::Job(vec![1]),
            Frame::Network(vec![2]),
            Frame::Order(Message::Look),
            Frame::Stdin(vec![3]),
            Frame::Ready { connection: "a b c d".into(), ports: vec![1, 65535] },
            Frame::Output { rank: 3, stream: 1, bytes: b"output".to_vec() },
            Frame::Line { rank: 9, line: Snapshot::from_words(std::array::from_fn(|at| at as u32 + 1)) },
            Frame::Taken(70_000),
            Frame::Refused("no memory".into()),
            Frame::Hello { protocol: 3, silence: 10_000 },
            Frame::Beat,
            Frame::Shown(65_536),
        ];
        messages.into_iter().map(Frame::Report).chain(others).for_each(|frame| frame.encode(&mut bytes));
        // FNV-1a.
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        let found = (greeting::NEWEST, sum);
        assert_eq!(found, KNOWN, "frames look different: raise NEWEST in node/greeting.rs, unless that has been done since the last release, and note {found:#x?} here");
    }

    #[test]
    fn nonsense_is_known() {
        assert_eq!(Frame::decode(&[0xff; 8]), Decoded::Nonsense, "too long");
        assert_eq!(Frame::decode(&[4, 0, 0, 0, 99, 0, 0, 0]), Decoded::Nonsense, "a kind that does not exist");
        assert_eq!(Frame::decode(&[6, 0, 0, 0, 3, 0, 0, 0, 1, 1]), Decoded::Nonsense, "a message that is too short");
    }
}
