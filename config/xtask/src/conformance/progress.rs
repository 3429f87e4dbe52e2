//! How far a run is, on standard error: a bar on a terminal, elsewhere now and then a line, so that it does not look like a hang.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub struct Progress<'a> {
    what: &'a str,
    all: usize,
    terminal: bool,
    last: Mutex<Instant>,
}

const WIDTH: usize = 30;

impl<'a> Progress<'a> {
    pub fn new(what: &'a str, all: usize) -> Progress<'a> {
        Progress { what, all, terminal: std::io::stderr().is_terminal(), last: Mutex::new(Instant::now()) }
    }

    /// `done` of them are over.
    pub fn at(&self, done: usize) {
        let mut last = self.last.lock().expect("nobody panics with it");
        let pause = Duration::from_millis(if self.terminal { 100 } else { 10_000 });
        if last.elapsed() < pause {
            return;
        }
        *last = Instant::now();
        if self.terminal {
            // To the beginning of the line, so that whatever is printed next writes over it.
            let _ = write!(std::io::stderr(), "{}\r", bar(self.what, done, self.all));
        } else {
            eprintln!("xtask: {}: {done} of {}", self.what, self.all);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\x1b[2K\r");
        }
    }
}

fn bar(what: &str, done: usize, all: usize) -> String {
    let full = (done * WIDTH).checked_div(all).unwrap_or(WIDTH).min(WIDTH);
    format!("\x1b[2K{what} [{}{}] {done}/{all}", "#".repeat(full), " ".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        let inside = |done, all| bar("x", done, all).chars().filter(|c| *c == '#').count();
        assert_eq!([inside(0, 10), inside(5, 10), inside(10, 10), inside(0, 0)], [0, WIDTH / 2, WIDTH, WIDTH]);
    }
}
