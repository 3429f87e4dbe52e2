//! A conversation with one machine's probe.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::keeper::relay::call;
use crate::node::greeting::{Offer, START};
use crate::node::machines::Machine;

/// For ssh to lead to the probe.
const REACH_MAX: Duration = Duration::from_secs(30);
/// For an answer; a call takes at most twice three seconds.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// A line that is longer is cut, and of so many that were not asked for the next one waits.
const LINE_MAX: u64 = 64 << 10;
const LINES_MAX: usize = 64;

pub struct Patient<'a> {
    pub machine: &'a Machine,
    child: Child,
    to: ChildStdin,
    from: Receiver<String>,
    said: Receiver<String>,
    /// How long it took to reach it.
    pub took: Duration,
}

impl<'a> Patient<'a> {
    /// Calls a machine; why it does not answer.
    pub fn call(machine: &'a Machine) -> Result<Self, String> {
        let start = Instant::now();
        let mut command = call::command(machine, "--probe");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot run {}: {error}", call::shown(machine)))?;
        let (Some(to), Some(from), Some(mut stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err("no pipes".into());
        };
        let (lines, from_lines) = sync_channel(LINES_MAX);
        thread::spawn(move || listen(from, &lines));
        let (text, said) = channel();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.by_ref().take(4 << 10).read_to_end(&mut bytes);
            let _ = text.send(String::from_utf8_lossy(&bytes).trim().to_owned());
            // A full pipe would hold up whoever writes.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
        });
        let mut patient = Self { machine, child, to, from: from_lines, said, took: Duration::ZERO };
        let greeting = patient.greeting(start + REACH_MAX)?;
        patient.took = start.elapsed();
        Offer::own().agree(&greeting).map(|_| patient)
    }

    /// The first line that is a greeting; a login shell may say something before it.
    fn greeting(&mut self, until: Instant) -> Result<String, String> {
        let mut printed = String::new();
        loop {
            match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if line.starts_with(START) => return Ok(line),
                Ok(line) => printed = line,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("cannot be reached: no answer for {} s\n    {}", REACH_MAX.as_secs(), call::shown(self.machine)));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait().ok();
                    let said = self.said.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                    return Err(call::failure(self.machine, status, [said.as_str(), &printed].join("\n").trim()));
                }
            }
        }
    }

    /// A line's answer.
    pub fn ask(&mut self, question: &str) -> Result<String, String> {
        writeln!(self.to, "{question}").and_then(|()| self.to.flush()).map_err(|error| format!("it does not listen any more: {error}"))?;
        let answer = self.from.recv_timeout(ANSWER_MAX).map_err(|_| format!("no answer to {question:?}"))?;
        match answer.strip_prefix("error ") {
            Some(why) => Err(why.into()),
            None => Ok(answer),
        }
    }
}

/// Hands lines on until there are no more, or nobody wants them.
fn listen(from: impl Read, lines: &SyncSender<String>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while matches!(from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line), Ok(1..)) {
        if lines.send(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned()).is_err() {
            return;
        }
        line.clear();
    }
}

impl Drop for Patient<'_> {
    /// An ssh that hangs would not notice that nobody listens any more.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_none_is_lost() {
        let long = "x".repeat(LINE_MAX as usize + 5);
        let text = format!("one\r\n{long}\n\u{fffd}last");
        let (lines, found) = sync_channel(LINES_MAX);
        listen(text.as_bytes(), &lines);
        drop(lines);
        let found: Vec<String> = found.iter().collect();
        assert_eq!(found, ["one", &long[5..], "xxxxx", "\u{fffd}last"]);
    }
}
