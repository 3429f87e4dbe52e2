//! The port at which the probes of machines call each other: who has the token gets back what it sends, who has not is hung up on.
//!
//! Anybody can call. So those who have not said the token yet are few at a time, have little time, and cost no thread each.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// For a connection to come about, for the token, and for each answer.
const CALL_MAX: Duration = Duration::from_secs(3);
/// Exchanges of 8 bytes of which the middle one counts.
const EXCHANGES: usize = 51;
/// Sent in one go to see how fast that is.
const BULK: usize = 8 << 20;
/// Length of a token in digits.
pub const TOKEN_LENGTH: usize = 32;

/// So many callers may be without a token; then the oldest goes.
const STRANGERS_MAX: usize = 128;
/// So many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// The number of a port, at all addresses of this machine, at which whoever has the token is answered from now on.
pub fn listen(token: &str) -> io::Result<String> {
    let bind = |address: IpAddr| TcpListener::bind((address, 0));
    let listener = bind(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| bind(Ipv4Addr::UNSPECIFIED.into()))?;
    listener.set_nonblocking(true)?;
    rustix::net::listen(&listener, BACKLOG)?;
    let port = listener.local_addr()?.port();
    let mut door = Door { listener, token: token.into(), strangers: Vec::new() };
    thread::Builder::new().spawn(move || loop { door.attend() })?;
    Ok(port.to_string())
}

struct Door {
    listener: TcpListener,
    token: String,
    /// The oldest first.
    strangers: Vec<Stranger>,
}

struct Stranger {
    stream: TcpStream,
    since: Instant,
    said: [u8; TOKEN_LENGTH],
    length: usize,
}

impl Door {
    /// Waits for something to happen, and sees to it.
    fn attend(&mut self) {
        let mut polled = vec![PollFd::new(&self.listener, PollFlags::IN)];
        polled.extend(self.strangers.iter().map(|stranger| PollFd::new(&stranger.stream, PollFlags::IN)));
        let left = self.strangers.first().map(|oldest| CALL_MAX.saturating_sub(oldest.since.elapsed()));
        let _ = poll(&mut polled, left.and_then(|left| Timespec::try_from(left).ok()).as_ref());
        let ready: Vec<bool> = polled.iter().skip(1).map(|polled| !polled.revents().is_empty()).collect();
        let mut stay = Vec::with_capacity(self.strangers.len());
        for (mut stranger, ready) in self.strangers.drain(..).zip(ready) {
            match if ready { stranger.hear() } else { Some(false) } {
                Some(false) if stranger.since.elapsed() < CALL_MAX => stay.push(stranger),
                Some(true) if stranger.said == self.token.as_bytes() => {
                    // Without a thread there is no answer.
                    let _ = thread::Builder::new().spawn(move || answer(stranger.stream));
                }
                _ => (),
            }
        }
        self.strangers = stay;
        self.accept();
    }

    fn accept(&mut self) {
        for _ in 0..STRANGERS_MAX {
            match self.listener.accept() {
                Ok((stream, _)) if stream.set_nonblocking(true).is_ok() => {
                    if self.strangers.len() >= STRANGERS_MAX {
                        self.strangers.remove(0);
                    }
                    self.strangers.push(Stranger { stream, since: Instant::now(), said: [0; TOKEN_LENGTH], length: 0 });
                }
                Ok(_) => (),
                Err(error) if [io::ErrorKind::ConnectionAborted, io::ErrorKind::Interrupted].contains(&error.kind()) => (),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // Descriptors are short: one is to be had if a stranger goes.
                Err(_) if !self.strangers.is_empty() => drop(self.strangers.remove(0)),
                Err(_) => return thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Stranger {
    /// Whether it has said as much as a token; `None` when it is gone.
    fn hear(&mut self) -> Option<bool> {
        match self.stream.read(&mut self.said[self.length..]) {
            Ok(0) => None,
            Ok(count) => {
                self.length += count;
                Some(self.length == TOKEN_LENGTH)
            }
            Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) => Some(false),
            Err(_) => None,
        }
    }
}

/// 8 bytes go back as they came; after 8 zeros everything is swallowed, and 8 bytes say when [`BULK`] have come.
fn answer(mut caller: TcpStream) -> io::Result<()> {
    caller.set_nonblocking(false)?;
    caller.set_read_timeout(Some(CALL_MAX))?;
    caller.set_nodelay(true)?;
    let mut word = [1; 8];
    while word != [0; 8] {
        caller.read_exact(&mut word)?;
        caller.write_all(&word)?;
    }
    io::copy(&mut caller.try_clone()?.take(BULK as u64), &mut io::sink())?;
    caller.write_all(&[1; 8])
}

/// `ok LATENCY BANDWIDTH`: nanoseconds one way, bytes per second.
pub fn call(address: SocketAddr, token: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, CALL_MAX)?;
    stream.set_read_timeout(Some(CALL_MAX))?;
    stream.set_write_timeout(Some(CALL_MAX))?;
    stream.set_nodelay(true)?;
    stream.write_all(token.as_bytes())?;
    let exchange = |stream: &mut TcpStream, word: [u8; 8]| -> io::Result<Duration> {
        let start = Instant::now();
        stream.write_all(&word)?;
        stream.read_exact(&mut [0; 8])?;
        Ok(start.elapsed())
    };
    let mut times: Vec<Duration> = (0..EXCHANGES).map(|_| exchange(&mut stream, [1; 8])).collect::<io::Result<_>>()?;
    times.sort_unstable();
    exchange(&mut stream, [0; 8])?;
    let (start, bytes) = (Instant::now(), vec![1; 256 << 10]);
    for _ in 0..BULK / bytes.len() {
        stream.write_all(&bytes)?;
    }
    stream.read_exact(&mut [0; 8])?;
    let bandwidth = BULK as f64 / start.elapsed().as_secs_f64();
    Ok(format!("ok {} {bandwidth:.0}", times[EXCHANGES / 2].as_nanos() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_token_is_answered() {
        let (right, wrong) = ("a".repeat(TOKEN_LENGTH), "b".repeat(TOKEN_LENGTH));
        let port: u16 = listen(&right).unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let said = call(address, &right).unwrap();
        let numbers: Vec<f64> = said.strip_prefix("ok ").unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
        assert!(numbers.len() == 2 && numbers.iter().all(|number| *number > 0.0), "{said}");
        assert!(call(address, &wrong).is_err());
    }

    #[test]
    fn who_says_nothing_holds_nobody_up_and_goes() {
        let token = "a".repeat(TOKEN_LENGTH);
        let port: u16 = listen(&token).unwrap().parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let silent: Vec<TcpStream> = (0..3 * STRANGERS_MAX).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert!(call(address, &token).is_ok());
        for mut stream in silent {
            stream.set_read_timeout(Some(4 * CALL_MAX)).unwrap();
            assert!(matches!(stream.read(&mut [0]), Ok(0)) || stream.read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset));
        }
    }
}
