//! The command line.
//!
//! `[options] program [arguments] : [options] program [arguments] …`. Options end where the program
//! begins: everything after it belongs to the program, up to a `:` that stands alone.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use super::table::{self, Flag, Id, Scope};
use super::{JobOptions, Options, Part, Request, suggest, value};
use crate::node::machines::range;

/// Reads the words after `hpvmrun`. `job` holds what weaker sources said.
pub fn parse(words: &[OsString], job: JobOptions) -> Result<Request, String> {
    let mut options = Options { parts: Vec::new(), job };
    let parts: Vec<_> = words.split(|word| word == ":").collect();
    for (index, words) in parts.iter().enumerate() {
        let mut part = Part::new();
        match part_of(words, &mut part, &mut options.job)? {
            Parsed::Part => options.parts.push(part),
            Parsed::Instead(request) => return Ok(request),
            Parsed::NoProgram if parts.len() == 1 => return Err("no program is given".into()),
            Parsed::NoProgram => return Err(format!("part {} of the command line has no program", index + 1)),
        }
    }
    Ok(Request::Run(Box::new(options)))
}

/// Reads options alone, for what is no job.
pub fn without_program(words: &[OsString], mut job: JobOptions) -> Result<Request, String> {
    let mut part = Part::new();
    match part_of(words, &mut part, &mut job)? {
        Parsed::NoProgram => Ok(Request::Run(Box::new(Options { parts: vec![part], job }))),
        Parsed::Part => Err(format!("{:?} has no place here: only options have", part.program)),
        Parsed::Instead(request) => Ok(request),
    }
}

enum Parsed {
    Part,
    NoProgram,
    Instead(Request),
}

impl Part {
    /// Without a program as yet.
    fn new() -> Self {
        Self {
            ranks: 1,
            work_dir: None,
            exports: Vec::new(),
            hosts: Vec::new(),
            program: OsString::new(),
            arguments: Vec::new(),
        }
    }
}

fn part_of(words: &[OsString], part: &mut Part, job: &mut JobOptions) -> Result<Parsed, String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            let Some(program) = words.next() else { break };
            return finish(part, program, words.as_slice());
        }
        if !word.as_bytes().starts_with(b"-") || word == "-" {
            return finish(part, word, words.as_slice());
        }
        let (typed, attached) = split(word);
        let flag = table::find(&typed).ok_or_else(|| suggest::unknown(&typed))?;
        match flag.id {
            Id::Help => return Ok(Parsed::Instead(Request::Help)),
            Id::Version => return Ok(Parsed::Instead(Request::Version)),
            _ => (),
        }
        let text = match (flag.value, attached) {
            (None, None) => OsString::new(),
            (None, Some(value)) => return Err(format!("{typed} takes no value, but {value:?} is given")),
            (Some(_), Some(value)) => value,
            (Some(name), None) => {
                words.next().cloned().ok_or_else(|| format!("{typed} needs a value: {typed} {name}"))?
            }
        };
        let wrong = |why| format!("{typed}: {why}");
        if flag.id == Id::Completions {
            return Ok(Parsed::Instead(Request::Completions(value::shell(&text).map_err(wrong)?)));
        }
        set(part, job, flag, &text).map_err(wrong)?;
    }
    Ok(Parsed::NoProgram)
}

fn finish(part: &mut Part, program: &OsStr, arguments: &[OsString]) -> Result<Parsed, String> {
    if program.is_empty() {
        return Err("the program's name is empty".into());
    }
    part.program = program.to_owned();
    part.arguments = arguments.to_vec();
    Ok(Parsed::Part)
}

/// `--name=value` in two.
fn split(word: &OsStr) -> (String, Option<OsString>) {
    match word.as_bytes().iter().position(|byte| *byte == b'=') {
        Some(at) => {
            let (name, value) = word.as_bytes().split_at(at);
            (String::from_utf8_lossy(name).into_owned(), Some(OsString::from_vec(value[1..].to_vec())))
        }
        None => (word.to_string_lossy().into_owned(), None),
    }
}

fn set(part: &mut Part, job: &mut JobOptions, flag: &Flag, text: &OsStr) -> Result<(), String> {
    match flag.id {
        Id::Ranks => part.ranks = value::count(text)?,
        Id::WorkDir => part.work_dir = Some(value::path(text)?),
        Id::Export => part.exports.push(value::export(text)?),
        Id::Host => part.hosts.extend(range::split_list(&text.to_string_lossy()).into_iter().map(str::to_owned)),
        _ => {
            debug_assert!(flag.scope != Scope::Part);
            value::set(job, flag, text)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::BindTo;
    use rstest::rstest;
    use std::time::Duration;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn run(line: &str) -> Options {
        match parse(&words(line), JobOptions::default()) {
            Ok(Request::Run(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn error(line: &str) -> String {
        parse(&words(line), JobOptions::default()).unwrap_err()
    }

    #[test]
    fn options_after_the_program_belong_to_it() {
        let options = run("-np 3 -wdir /tmp ./a.out -n 5 --tag-output");
        let part = &options.parts[0];
        assert_eq!((part.ranks, part.work_dir.as_deref()), (3, Some("/tmp".as_ref())));
        assert_eq!((part.program.as_os_str(), part.arguments.len()), ("./a.out".as_ref(), 3));
        assert!(!options.job.tag_output);
    }

    #[test]
    fn a_colon_begins_another_program() {
        let options = run("--timestamp -n 1 a x : -n 2 -x V=1 b : --tag-output c");
        let programs: Vec<_> = options.parts.iter().map(|part| (part.ranks, part.program.to_str().unwrap())).collect();
        assert_eq!(programs, [(1, "a"), (2, "b"), (1, "c")]);
        assert!(options.job.timestamp && options.job.tag_output);
        assert_eq!(options.parts[1].exports, [("V".into(), Some("1".into()))]);
        assert!(options.parts[0].exports.is_empty());
    }

    #[test]
    fn values_may_be_attached() {
        let options = run("--np=2 --timeout=1.5 --bind-to=core -- -program");
        assert_eq!(options.parts[0].ranks, 2);
        assert_eq!(options.parts[0].program, "-program");
        assert_eq!(options.job.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(options.job.bind_to, Some(BindTo::Core));
    }

    #[rstest]
    #[case("", "no program")]
    #[case("-n 2", "no program")]
    #[case("-n 2 a : -n 3", "part 2")]
    #[case("-n 2 a :", "part 2")]
    #[case("-n 0 a", "at least one")]
    #[case("-n -1 a", "not a number of ranks")]
    #[case("-n two a", "not a number")]
    #[case("-n 99999999999999999999 a", "not a number")]
    #[case("-n 9999999999 a", "too many")]
    #[case("-n", "needs a value")]
    #[case("--tag-output=3 a", "takes no value")]
    #[case("--timeout 0 a", "above 0")]
    #[case("--timeout nan a", "above 0")]
    #[case("--timeout 1e400 a", "above 0")]
    #[case("--bind-to socket a", "core, numa, none")]
    #[case("--device smp,wan a", "not built")]
    #[case("--device smq a", "no device")]
    #[case("--map-by socket a", "\"socket\" is not known; possible: slot, node, numa")]
    #[case("--map-by core a", "numa; to bind ranks to cores use --bind-to core")]
    #[case("--map-by ppr:2:node a", "use --ppn N")]
    #[case("--map-by slot:NOOVERSUBSCRIBE a", "use --no-oversubscribe")]
    #[case("--map-by slot:OVERSUBSCRIBE a", "more ranks than slots without it")]
    #[case("--rankfile= a", "the path is empty")]
    #[case("--hang-report -1 a", "above 0")]
    #[case("--encrypt=perhaps a", "takes no value")]
    #[case("-x =3 a", "does not name a variable")]
    #[case("--tag-outptu a", "--tag-output")]
    #[case("--oversubscribe a", "not needed")]
    #[case("-genv A 1 a", "-x VAR=VALUE")]
    #[case("-n4 a", "-n 4")]
    fn what_is_wrong_is_said(#[case] line: &str, #[case] expected: &str) {
        let text = error(line);
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn help_and_version_need_no_program() {
        assert_eq!(parse(&words("--help"), JobOptions::default()), Ok(Request::Help));
        assert_eq!(parse(&words("-n 3 --version"), JobOptions::default()), Ok(Request::Version));
    }
}
