//! PMI-1: how launchers of MPICH's family (`mpiexec.hydra`, `srun --mpi=pmi2`) and MPI libraries speak with each other.
//!
//! A rank inherits a socket, whose number is in `PMI_FD`, and the launcher's side has a table of keys and values. Each message is a line of
//! text, `cmd=NAME key=value …`: the rank puts values, enters a barrier, and then gets those of others. Values hold no spaces. The order of
//! keys differs from launcher to launcher.
//!
//! | rank | launcher |
//! |---|---|
//! | `init pmi_version=1 pmi_subversion=1` | `response_to_init rc=0 pmi_version=1 pmi_subversion=1` |
//! | `get_maxes` | `maxes kvsname_max=… keylen_max=… vallen_max=…` |
//! | `get_appnum`, `get_universe_size`, `get_my_kvsname` | `appnum appnum=…`, `universe_size size=…`, `my_kvsname kvsname=…` |
//! | `put kvsname=… key=… value=…` | `put_result rc=0` |
//! | `barrier_in` | `barrier_out`, when all have entered |
//! | `get kvsname=… key=…` | `get_result rc=0 value=…` |
//! | `finalize` | `finalize_ack` |
//! | `abort exitcode=…` | the job ends |

use std::fmt;

/// The socket's number.
pub const FD: &str = "PMI_FD";
/// Rank in `MPI_COMM_WORLD`.
pub const RANK: &str = "PMI_RANK";
/// Size of `MPI_COMM_WORLD`.
pub const SIZE: &str = "PMI_SIZE";

/// Those: what a launcher that starts a job inside a rank of another job must replace.
pub const ALL: [&str; 3] = [FD, RANK, SIZE];

/// The longest line that is taken; the other side is not trusted to send ends of lines.
pub const LINE_MAX: usize = 16 << 10;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    command: String,
    fields: Vec<(String, String)>,
}

/// Why a line is no message, or one lacks something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Message {
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), fields: Vec::new() }
    }

    /// Adds a field. What would end it early, or the line, is left out of the value.
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string().replace([' ', '\n', '\0'], "");
        self.fields.push((key.to_owned(), value));
        self
    }

    /// Reads a line, without its end.
    pub fn parse(line: &[u8]) -> Result<Self, Malformed> {
        let shown = || String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        let text = str::from_utf8(line).map_err(|_| Malformed(format!("{:?} is no text", shown())))?;
        let mut fields = Vec::new();
        for word in text.split([' ', '\t', '\r', '\0']).filter(|word| !word.is_empty()) {
            let (key, value) = word.split_once('=').ok_or_else(|| Malformed(format!("{word:?} in {:?} is not key=value", shown())))?;
            fields.push((key.to_owned(), value.to_owned()));
        }
        // `mcmd` begins a message of several lines.
        match fields.iter().position(|(key, _)| key == "cmd" || key == "mcmd") {
            Some(at) => Ok(Self { command: fields.remove(at).1, fields }),
            None => Err(Malformed(format!("{:?} has no command", shown()))),
        }
    }

    pub fn command(&self) -> &str {
        &self.command
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    /// A field that has to be there.
    pub fn need(&self, key: &str) -> Result<&str, Malformed> {
        self.get(key).ok_or_else(|| Malformed(format!("the message {} has no {key}", self.command)))
    }

    /// A number that has to be there.
    pub fn number<T: std::str::FromStr>(&self, key: &str) -> Result<T, Malformed> {
        let value = self.need(key)?;
        value.parse().map_err(|_| Malformed(format!("{key}={value:?} in the message {} is no number that fits", self.command)))
    }

    /// Whether the other side did what it was asked: `rc` is 0, or is not said.
    pub fn succeeded(&self) -> bool {
        self.get("rc").is_none_or(|rc| rc == "0")
    }

    /// The line, with its end.
    pub fn to_line(&self) -> String {
        let mut line = format!("cmd={}", self.command);
        for (key, value) in &self.fields {
            line += &format!(" {key}={value}");
        }
        line + "\n"
    }
}

/// Cuts what arrives into lines.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// So many of them have no end of a line among them.
    searched: usize,
}

impl Lines {
    /// Bytes that have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line, if there is one.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        let end = self.bytes[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(end) = end.map(|at| self.searched + at) else {
            self.searched = self.bytes.len();
            return if self.searched <= LINE_MAX { Ok(None) } else { Err(Malformed(format!("a line of more than {LINE_MAX} bytes"))) };
        };
        let rest = self.bytes.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.bytes, rest);
        line.truncate(end);
        self.searched = 0;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_order() {
        let message = Message::parse(b"rc=0 cmd=get_result  value=a=b:c,d msg=success").unwrap();
        assert_eq!((message.command(), message.need("value"), message.succeeded()), ("get_result", Ok("a=b:c,d"), true));
        assert!(message.need("kvsname").unwrap_err().to_string().contains("get_result has no kvsname"));
        assert_eq!(Message::parse(b"mcmd=spawn nprocs=2").unwrap().command(), "spawn");
        assert!(!Message::parse(b"cmd=get_result rc=-1").unwrap().succeeded());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let message = Message::new("put").with("key", "k").with("value", "two words\n").with("n", 7);
        assert_eq!(message.to_line(), "cmd=put key=k value=twowords n=7\n");
        let read = Message::parse(message.to_line().trim_end().as_bytes()).unwrap();
        assert_eq!((&read, read.number::<u8>("n")), (&message, Ok(7)));
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (line, why) in [
            (&b""[..], "no command"),
            (b"hello", "is not key=value"),
            (b"key=value", "no command"),
            (b"cmd=\xff\xfe", "no text"),
        ] {
            let found = Message::parse(line).unwrap_err().to_string();
            assert!(found.contains(why), "{found}");
        }
        let number = Message::parse(b"cmd=x n=-1").unwrap().number::<u32>("n").unwrap_err().to_string();
        assert!(number.contains(r#"n="-1" in the message x"#), "{number}");
    }

    #[test]
    fn lines_come_in_any_pieces() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in [&b"on"[..], b"e\ntwo\n", b"\nfo", b"ur", b"\n"] {
            lines.push(piece);
            while let Some(line) = lines.take().unwrap() {
                found.push(String::from_utf8(line).unwrap());
            }
        }
        assert_eq!(found, ["one", "two", "", "four"]);
        lines.push(&[b'x'; LINE_MAX + 1]);
        assert!(lines.take().is_err());
    }
}
