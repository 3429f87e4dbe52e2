//! What is wrong with a file of machines, and where: `FILE:LINE:COLUMN: text`, and the line itself.

use std::ops::Range;

/// A fault in a text; `at` counts bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub text: String,
    pub at: Option<Range<usize>>,
}

/// Longer lines are not shown.
const LINE_MAX: usize = 120;

impl Fault {
    pub fn new(text: impl Into<String>, at: Range<usize>) -> Self {
        Self { text: text.into(), at: Some(at) }
    }

    /// Of the file as a whole.
    pub fn of_all(text: impl Into<String>) -> Self {
        Self { text: text.into(), at: None }
    }

    /// As it is told the user.
    pub fn show(&self, file: &str, source: &str) -> String {
        let Some(at) = &self.at else { return format!("{file}: {}", self.text) };
        let (number, line, column) = place(source, at.start);
        let mut text = format!("{file}:{number}:{}: {}", column + 1, self.text);
        if line.chars().count() <= LINE_MAX && !line.trim().is_empty() {
            let shown: String = line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
            let margin = " ".repeat(number.to_string().len());
            text += &format!("\n  {number} | {shown}\n  {margin} | {}^", " ".repeat(column));
        }
        text
    }
}

/// Line from 1, its text, and column from 0 in letters, of a byte.
fn place(source: &str, at: usize) -> (usize, &str, usize) {
    let before = source.get(..at).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = source[start..].lines().next().unwrap_or_default();
    (before.matches('\n').count() + 1, line, before[start..].chars().count())
}

/// A file's text; the byte that is none has a place, too.
pub fn text_of(file: &str, bytes: Vec<u8>) -> Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let (valid, byte) = (error.utf8_error().valid_up_to(), error.as_bytes()[error.utf8_error().valid_up_to()]);
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let (number, _, column) = place(&before, valid);
        format!("{file}:{number}:{}: expected text in UTF-8, found the byte 0x{byte:02x}", column + 1)
    })?;
    // Some editors begin with a byte-order mark.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_its_place() {
        let source = "one\n\té two\r\nthree";
        let at = source.find("two").unwrap();
        assert_eq!(Fault::new("it is wrong", at..at + 3).show("f", source), "f:2:4: it is wrong\n  2 |  é two\n    |    ^");
        assert_eq!(Fault::new("it is wrong", 99..99).show("f", source), "f:3:6: it is wrong\n  3 | three\n    |      ^");
        assert_eq!(Fault::of_all("it is empty").show("f", ""), "f: it is empty");
        assert_eq!(Fault::new("x", 0..1).show("f", &"x".repeat(200)), "f:1:1: x", "no long lines");
    }

    #[test]
    fn text_that_is_none() {
        assert_eq!(text_of("f", b"a\nb\xffc".to_vec()).unwrap_err(), "f:2:2: expected text in UTF-8, found the byte 0xff");
        assert_eq!(text_of("f", b"\xff\xfea\0".to_vec()).unwrap_err(), "f:1:1: expected text in UTF-8, found the byte 0xff");
        assert_eq!(text_of("f", "\u{feff}a".into()).unwrap(), "a");
    }
}
