//! What a person sees at a terminal while machines answer and ranks start: one line, which makes room for everything else.

mod common;

use std::fs::{self, File};
use std::io::Read as _;
use std::time::Duration;

use common::{Run, command, start_command, terminal};
use tempfile::TempDir;

/// Five machines, of which the last one answers late.
fn machines() -> TempDir {
    let folder = TempDir::new().unwrap();
    let ssh = common::fake_ssh(folder.path(), "case \"$*\" in *late*) sleep 1.5;; esac");
    let text = format!("ssh = [{:?}, \"-x\"]\n[defaults]\nslots = 8\n[[machine]]\nname = \"quick[1-4]\"\n[[machine]]\nname = \"late\"\n", ssh.display().to_string());
    fs::write(folder.path().join("machines.toml"), text).unwrap();
    folder
}

fn start(folder: &TempDir, theirs: std::os::fd::OwnedFd, words: &[&str]) -> Run {
    let file = folder.path().join("machines.toml").display().to_string();
    let (mut command, mark) = command(&[&["-m", &file], words].concat());
    command.stderr(theirs);
    start_command((command, mark))
}

/// A terminal's screen, as far as these programs use it.
#[derive(Default)]
struct Screen {
    lines: Vec<String>,
    column: usize,
    row: usize,
    /// Every text that stood in a line at some time.
    seen: Vec<String>,
}

impl Screen {
    fn show(&mut self, text: &str) {
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            self.lines.resize(self.lines.len().max(self.row + 1), String::new());
            let line = &mut self.lines[self.row];
            match letter {
                '\r' => self.column = 0,
                '\n' => self.row += 1,
                '\x1b' => {
                    let mut sequence = String::new();
                    while !sequence.ends_with(|letter: char| letter.is_ascii_alphabetic()) {
                        sequence.push(letters.next().expect("a whole sequence"));
                    }
                    match sequence.as_str() {
                        "[2K" => line.clear(),
                        "[K" => *line = line.chars().take(self.column).collect(),
                        other => panic!("{other:?} in {text:?}"),
                    }
                }
                letter => {
                    let mut letters: Vec<char> = line.chars().collect();
                    letters.resize(letters.len().max(self.column + 1), ' ');
                    letters[self.column] = letter;
                    self.column += 1;
                    *line = letters.into_iter().collect();
                    assert!(self.column <= 80, "a line that is wider than the terminal: {text:?}");
                }
            }
            self.seen.push(self.lines[self.row.min(self.lines.len() - 1)].clone());
        }
    }

    fn has_shown(&self, text: &str) -> bool {
        self.seen.iter().any(|line| line.contains(text))
    }
}

/// Until nobody has the other side any more.
fn read(mut ours: File) -> String {
    let (mut bytes, mut piece) = (Vec::new(), [0; 1000]);
    while let Ok(count @ 1..) = ours.read(&mut piece) {
        bytes.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn who_waits_sees_for_what_and_then_nothing_of_it() {
    let (folder, (ours, theirs)) = (machines(), terminal());
    let mut run = start(&folder, theirs, &["-n", "40", "sh", "-c", "[ $HPVM_RANK != 7 ] || echo well >&2"]);
    let text = read(ours);
    assert_eq!(run.wait(Duration::from_secs(20)), 0, "{text:?}");
    let mut screen = Screen::default();
    screen.show(&text);
    assert!(screen.has_shown("hpvmrun: 4 of 5 machines have answered"), "{text:?}");
    // What is counted changes in the middle, and the numbers with it.
    assert!(!screen.has_shown("of 40 machines") && !screen.has_shown("of 5 ranks") && screen.has_shown("of 40 ranks are started"), "{text:?}");
    let left: Vec<_> = screen.lines.iter().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(left, ["well"], "{text:?}");
    common::assert_nothing_left(&run.mark);
}

#[test]
fn a_machine_that_never_answers_is_seen_to_be_missing() {
    let (folder, (ours, theirs)) = (machines(), terminal());
    let mut run = start(&folder, theirs, &["--start-timeout", "1", "-n", "40", "true"]);
    let text = read(ours);
    assert_eq!(run.wait(Duration::from_secs(20)), 125, "{text:?}");
    let mut screen = Screen::default();
    screen.show(&text);
    assert!(screen.has_shown("hpvmrun: 4 of 5 machines have answered"), "{text:?}");
    assert!(screen.lines.iter().any(|line| line.starts_with("hpvmrun: late cannot be reached")), "{text:?}");
    assert!(!screen.lines.iter().any(|line| line.contains("have answered")), "{text:?}");
    common::assert_nothing_left(&run.mark);
}

#[test]
fn who_is_no_terminal_is_shown_nothing() {
    let folder = machines();
    let file = folder.path().join("machines.toml").display().to_string();
    let outcome = common::run(&["-m", &file, "-n", "40", "true"]);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (0, ""));
}
