//! What the user wants: our own options taken out of the arguments, the rest left as it was.

use std::ffi::OsString;

use crate::table::{Info, Language, Means, OPTIONS};

/// The arguments, understood.
pub struct Request {
    /// A question to answer instead of compiling; of several the first.
    pub info: Option<Info>,
    pub echo: bool,
    pub verbose: bool,
    /// The compiler that the command line names.
    pub compiler: Option<OsString>,
    /// What goes on to the compiler.
    pub args: Vec<OsString>,
    /// There is something to compile or link, not just a question to the compiler such as `--version`.
    pub has_input: bool,
    /// The compiler stops before linking, so that flags for linking would be noise, or an error with some compilers.
    pub stops_early: bool,
}

/// Options of compilers that stop before the linker, or make it join objects without libraries.
const STOP: &[&str] = &["-c", "-E", "-S", "-M", "-MM", "-fsyntax-only", "-r", "-Wl,-r"];

pub fn parse(words: Vec<OsString>, language: &Language) -> Request {
    let mut request = Request {
        info: None,
        echo: false,
        verbose: false,
        compiler: None,
        args: Vec::new(),
        has_input: false,
        stops_early: false,
    };
    for word in words {
        let text = word.to_string_lossy();
        if let Some(name) = chosen_compiler(&text, language) {
            request.compiler = Some(name.into());
            continue;
        }
        match own_option(&text) {
            Some(Means::Info(info)) => request.info = request.info.or(Some(*info)),
            Some(Means::Echo) => request.echo = true,
            Some(Means::Verbose) => {
                request.verbose = true;
                request.args.push("-v".into());
            }
            None => {
                request.stops_early |= STOP.contains(&&*text);
                // The argument of an option (`-o file`) counts as input too; that does no harm.
                request.has_input |= !text.starts_with('-') || text == "-" || text.starts_with("-l");
                request.args.push(word);
            }
        }
    }
    request
}

fn own_option(word: &str) -> Option<&'static Means> {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
    OPTIONS.iter().find(|option| option.names.contains(&name)).map(|option| &option.means)
}

fn chosen_compiler<'a>(word: &'a str, language: &Language) -> Option<&'a str> {
    let word = if word.starts_with("--") { &word[1..] } else { word };
    let (option, value) = word.split_once('=')?;
    language.choose.contains(&option).then_some(value)
}
