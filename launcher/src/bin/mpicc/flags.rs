//! What the wrapper adds to the compiler's command line.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::arguments::Request;
use crate::table::Info;

/// One library holds everything; its name is the standard ABI's (MPI 5.0 section 20.2).
const LIBRARY: &str = "mpi_abi";

/// The folders of an installed prefix.
pub struct Flags {
    include: PathBuf,
    lib: PathBuf,
}

impl Flags {
    pub fn of_prefix(prefix: &Path) -> Flags {
        Flags { include: prefix.join("include"), lib: prefix.join("lib") }
    }

    pub fn header(&self) -> PathBuf {
        self.include.join("mpi.h")
    }

    /// `-Idir` in one word: clients that parse `-show` look for that.
    fn compiling(&self) -> Vec<OsString> {
        vec![joined("-I", &self.include)]
    }

    /// The run path lets a program start without `LD_LIBRARY_PATH`, which still goes first.
    fn linking(&self) -> Vec<OsString> {
        vec![
            joined("-L", &self.lib),
            joined("-Wl,-rpath,", &self.lib),
            "-Wl,--enable-new-dtags".into(),
            format!("-l{LIBRARY}").into(),
        ]
    }

    /// The command to run. Our headers come first and our library last: after the objects that need it.
    pub fn command_line(&self, compiler: &[OsString], request: &Request) -> Vec<OsString> {
        let mut line = compiler.to_vec();
        line.extend(self.compiling());
        line.extend(request.args.iter().cloned());
        let asks_only = !request.has_input && !request.args.is_empty();
        if !request.stops_early && !asks_only {
            line.extend(self.linking());
        }
        line
    }

    /// The answer to a question about the wrapper.
    pub fn answer(&self, info: Info, compiler: &[OsString], request: &Request) -> String {
        let all = |parts: &[&[OsString]]| quoted(&parts.concat());
        match info {
            Info::Show => quoted(&self.command_line(compiler, request)),
            Info::Compile => all(&[&self.compiling()]),
            Info::Link => all(&[&self.linking()]),
            Info::Command => all(&[compiler]),
            Info::IncludeDirs => quoted(&[self.include.clone().into()]),
            Info::LibraryDirs => quoted(&[self.lib.clone().into()]),
            Info::Libraries => LIBRARY.into(),
            Info::WholeCompile => all(&[compiler, &self.compiling()]),
            Info::WholeLink => all(&[compiler, &self.compiling(), &self.linking()]),
            Info::Version | Info::Help => unreachable!("answered without the flags"),
        }
    }
}

fn joined(option: &str, folder: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(folder);
    word
}

/// The words as a shell would read them back.
pub fn quoted(words: &[OsString]) -> String {
    words.iter().map(|word| quoted_word(word)).collect::<Vec<_>>().join(" ")
}

fn quoted_word(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_=+./,:@%^".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
