//! Ten thousand callers without the token at the port of `hpvmrun doctor`'s probe, while one that has it is answered.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Probe {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Probe {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hpvmd")).arg("--probe").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let mut probe = Self { child, said };
        assert!(probe.line().starts_with("HPVM node, "));
        probe
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{question}").unwrap();
        self.line()
    }

    /// A number of `/proc/PID/status`.
    fn status(&self, name: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn strangers_at_the_probes_port_do_no_harm() {
    const CALLERS: usize = 10_000;
    let token = "0123456789abcdef0123456789abcdef";
    let (mut called, mut caller) = (Probe::start(), Probe::start());
    let port: u16 = called.ask(&format!("listen {token}")).parse().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut ask = || caller.ask(&format!("call {address} {token}"));
    assert!(ask().starts_with("ok "));
    let (mut open, mut before, mut threads) = (VecDeque::new(), 0, 0);
    for number in 0..CALLERS {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap();
        // Nothing, a part of a token, one that is wrong at its end, more than a token; and the right one of who says nothing after it.
        let said = match number % 5 {
            0 => "",
            1 => &token[..number % 32],
            2 => "0123456789abcdef0123456789abcdee",
            3 => "GET / HTTP/1.1\r\nHost: somewhere\r\nAccept: */*\r\n\r\n",
            _ if number % 1000 == 999 => token,
            _ => "\0\0\0\0\0\0\0\0",
        };
        // It may have hung up already.
        let _ = stream.write_all(said.as_bytes());
        open.push_back(stream);
        if open.len() > 500 {
            open.pop_front();
        }
        if number == CALLERS / 10 {
            before = called.status("RssAnon:");
        }
        threads = threads.max(if number % 100 == 0 { called.status("Threads:") } else { 0 });
    }
    let answer = ask();
    assert!(answer.starts_with("ok "), "{answer}");
    let after = called.status("RssAnon:");
    assert!(after <= before + 512, "it has grown from {before} to {after} KiB");
    assert!(threads <= 2 + 10, "{threads} threads");
    assert!(called.ask("clock").parse::<u64>().is_ok());
}
