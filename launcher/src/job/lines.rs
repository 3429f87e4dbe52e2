//! From chunks that ranks write to lines that a person reads.
//!
//! A stream's bytes are kept until a line is whole, so that lines of different ranks do not mix. What
//! stays without its end for [`FLUSH_AFTER`] (a prompt, a progress bar) is passed on as it is.

use std::time::{Duration, Instant};

pub const FLUSH_AFTER: Duration = Duration::from_millis(100);

/// Longer lines are passed on in pieces.
const LINE_MAX: usize = 64 << 10;

/// One stream of one rank: what it wrote after its last newline.
#[derive(Debug, Default)]
pub struct Lines {
    pending: Vec<u8>,
    since: Option<Instant>,
}

impl Lines {
    /// Adds a chunk and takes what can be passed on.
    pub fn push(&mut self, chunk: &[u8], now: Instant) -> Option<Vec<u8>> {
        self.pending.extend_from_slice(chunk);
        let whole = match chunk.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => self.pending.len() - (chunk.len() - at - 1),
            None if self.pending.len() >= LINE_MAX => self.pending.len(),
            None => 0,
        };
        let rest = self.pending.split_off(whole);
        let ready = std::mem::replace(&mut self.pending, rest);
        if !ready.is_empty() || self.since.is_none() {
            self.since = (!self.pending.is_empty()).then_some(now);
        }
        (!ready.is_empty()).then_some(ready)
    }

    /// When the rest is to be passed on unfinished.
    pub fn deadline(&self) -> Option<Instant> {
        self.since.map(|since| since + FLUSH_AFTER)
    }

    /// Takes the rest.
    pub fn flush(&mut self) -> Option<Vec<u8>> {
        self.since = None;
        (!self.pending.is_empty()).then(|| std::mem::take(&mut self.pending))
    }
}

/// What is put in front of each line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefix {
    pub tag: bool,
    pub timestamp: bool,
}

/// The end of what was passed on so far: a stream's line may still be open there.
#[derive(Debug, Default)]
pub struct Layout {
    open: Option<u32>,
}

impl Layout {
    /// Lays out what a rank wrote. `time` is called for each line.
    pub fn add(&mut self, prefix: Prefix, rank: u32, bytes: &[u8], time: impl Fn() -> String, out: &mut Vec<u8>) {
        if !prefix.tag && !prefix.timestamp {
            // Exactly what was written, not a byte more.
            out.extend_from_slice(bytes);
            self.open = (bytes.last() != Some(&b'\n')).then_some(rank);
            return;
        }
        if self.open.is_some_and(|open| open != rank) {
            out.push(b'\n');
            self.open = None;
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.open.take().is_none() {
                if prefix.timestamp {
                    out.extend_from_slice(format!("{} ", time()).as_bytes());
                }
                if prefix.tag {
                    out.extend_from_slice(format!("[{rank}] ").as_bytes());
                }
            }
            out.extend_from_slice(line);
            self.open = (line.last() != Some(&b'\n')).then_some(rank);
        }
    }

    /// A note of hpvmrun's own begins on a new line.
    pub fn note(&mut self, text: &str, out: &mut Vec<u8>) {
        if self.open.take().is_some() {
            out.push(b'\n');
        }
        out.extend_from_slice(text.as_bytes());
    }
}

/// `2026-11-22T08:20:00.123Z` from the time since 1970.
pub fn utc(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days counted from 1 March of year 0, in eras of 400 years: leap days come last then.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z",
        second % 60,
        since_epoch.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(lines: &mut Lines, chunk: &str, now: Instant) -> String {
        lines.push(chunk.as_bytes(), now).map(|ready| String::from_utf8(ready).unwrap()).unwrap_or_default()
    }

    #[test]
    fn only_whole_lines_pass_until_the_rest_is_old() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        assert_eq!(pushed(&mut lines, "ab", now), "");
        assert_eq!(pushed(&mut lines, "c", now + FLUSH_AFTER / 2), "");
        assert_eq!(lines.deadline(), Some(now + FLUSH_AFTER), "counted from the oldest byte");
        assert_eq!(pushed(&mut lines, "d\ne\nf", now), "abcd\ne\n");
        assert_eq!(lines.flush().as_deref(), Some(&b"f"[..]));
        assert_eq!((lines.flush(), lines.deadline()), (None, None));
        assert_eq!(pushed(&mut lines, "g\n", now), "g\n");
        assert_eq!(lines.deadline(), None);
    }

    #[test]
    fn an_endless_line_is_not_kept_for_ever() {
        let (mut lines, now) = (Lines::default(), Instant::now());
        let chunk = "x".repeat(LINE_MAX / 2);
        assert_eq!(pushed(&mut lines, &chunk, now), "");
        assert_eq!(pushed(&mut lines, &chunk, now).len(), LINE_MAX);
    }

    fn laid_out(prefix: Prefix, parts: &[(u32, &str)]) -> String {
        let (mut layout, mut out) = (Layout::default(), Vec::new());
        for (rank, text) in parts {
            layout.add(prefix, *rank, text.as_bytes(), || "T".into(), &mut out);
        }
        layout.note("note\n", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_line_has_its_tag_once() {
        let tag = Prefix { tag: true, timestamp: false };
        assert_eq!(laid_out(tag, &[(0, "a\nb\n"), (1, "c\n")]), "[0] a\n[0] b\n[1] c\nnote\n");
        assert_eq!(laid_out(tag, &[(0, "a"), (0, "b\n")]), "[0] ab\nnote\n");
        assert_eq!(laid_out(tag, &[(0, "a"), (1, "b\n"), (0, "c\n")]), "[0] a\n[1] b\n[0] c\nnote\n");
        let both = Prefix { tag: true, timestamp: true };
        assert_eq!(laid_out(both, &[(3, "a\n")]), "T [3] a\nnote\n");
    }

    #[test]
    fn without_a_prefix_not_a_byte_is_added() {
        assert_eq!(laid_out(Prefix::default(), &[(0, "a"), (1, "b"), (0, "c\n")]), "abc\nnote\n");
    }

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(utc(Duration::from_secs(seconds)), expected);
        }
    }
}
