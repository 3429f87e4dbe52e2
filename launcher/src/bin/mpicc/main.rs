//! The compiler wrapper: `mpicc` and, under its other names, `mpicxx`, `mpifort` and so on.
//!
//! It adds what MPI needs to a compiler's command line and then becomes that compiler (`exec`): exit status, signals and
//! output are the compiler's own. What build systems ask a wrapper differs by the MPI implementation they were written
//! for; all those questions are answered ([`table::OPTIONS`] is the one list of them).
//!
//! Read in this order: [`table`] (names, compilers, options), [`arguments`] (what the user wants), [`flags`] (what is added),
//! and here how the three meet.

#![forbid(unsafe_code)]

mod arguments;
mod flags;
mod table;

use std::ffi::{OsStr, OsString};
use std::io::{Write as _, stdout};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use arguments::Request;
use flags::Flags;
use table::{Info, Language};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let mut words = env::args_os();
    let called = PathBuf::from(words.next().unwrap_or_default());
    let called = called.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match run(&called, words.collect()) {
        Ok(text) => {
            print_line(&text);
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{called}: {text}");
            ExitCode::FAILURE
        }
    }
}

/// That nobody reads to the end (`mpicc -show | head -c1`) is not an error.
fn print_line(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// Answers a question with a text, or becomes the compiler; returns an error only if it cannot.
fn run(called: &str, words: Vec<OsString>) -> Result<String, String> {
    // The path after following all links: so a link to the wrapper, from anywhere, finds the prefix.
    let own = env::current_exe().map_err(|error| format!("cannot find my own path: {error}"))?;
    let language = language(called, &own);
    let request = arguments::parse(words, language);
    let flags = Flags::of_prefix(&prefix(&own)?);
    let compiler = compiler(request.compiler.clone(), language);

    match request.info {
        Some(Info::Help) => return Ok(table::help(called, language)),
        Some(Info::Version) => return Ok(format!("{called}: HPVM {VERSION} (Language: {})", language.name)),
        Some(info) => return Ok(flags.answer(info, &compiler, &request)),
        None => {}
    }
    if request.verbose {
        let line = format!("{called} for HPVM version {VERSION}");
        if request.args == ["-v"] && find(&compiler[0]).is_none() {
            return Ok(line);
        }
        print_line(&line);
    }
    if request.args.is_empty() {
        return Err("no input files (-help lists what I answer myself)".into());
    }
    become_compiler(called, language, &flags, &compiler, &request, &own)
}

fn become_compiler(
    called: &str,
    language: &Language,
    flags: &Flags,
    compiler: &[OsString],
    request: &Request,
    own: &Path,
) -> Result<String, String> {
    if language.fortran && request.has_input {
        return Err(format!(
            "the Fortran interfaces (mpif.h, use mpi, use mpi_f08) are not built yet in HPVM {VERSION}; \
             C and C++ programs are compiled with mpicc and mpicxx"
        ));
    }
    if request.has_input && !flags.header().is_file() {
        return Err(format!(
            "{} is missing: this wrapper works from the bin folder of an installed prefix (cargo xtask install)",
            flags.header().display()
        ));
    }
    let program = &compiler[0];
    let Some(path) = find(program) else {
        return Err(format!(
            "no {} compiler: {} is not in PATH; install one, or name one with {} or {}=…",
            language.name,
            program.display(),
            language.choose[0],
            language.environment[0]
        ));
    };
    if same_file(&path, own) {
        return Err(format!("{} is this wrapper itself, not a compiler", path.display()));
    }
    let command_line = flags.command_line(compiler, request);
    if request.echo {
        eprintln!("{}", flags::quoted(&command_line));
    }
    let error = Command::new(&path).args(&command_line[1..]).exec();
    Err(format!("{called} cannot run {}: {error}", path.display()))
}

/// The language of the name we were called by; under a name that says nothing (someone's link), of the file itself.
fn language(called: &str, own: &Path) -> &'static Language {
    let file = own.file_name().unwrap_or_default().to_string_lossy();
    table::by_name(called).or_else(|| table::by_name(&file)).unwrap_or(&table::C)
}

/// The folder above the one the wrapper lies in.
fn prefix(own: &Path) -> Result<PathBuf, String> {
    let prefix = own.parent().and_then(Path::parent);
    prefix.map(Path::to_owned).ok_or_else(|| format!("{} lies in no prefix", own.display()))
}

/// The compiler with its first arguments: from the command line, the environment, or the first that exists. A name that
/// is empty counts as none.
fn compiler(asked: Option<OsString>, language: &Language) -> Vec<OsString> {
    let named = |text: &OsString| !text.to_string_lossy().trim().is_empty();
    let from_environment = || language.environment.iter().filter_map(env::var_os).find(named);
    match asked.filter(named).or_else(from_environment) {
        // A compiler with options, `ccache gcc -m64`, is several words, unless there is a file of that very name.
        Some(text) if find(&text).is_some() => vec![text],
        Some(text) => match text.to_str() {
            Some(text) => text.split_whitespace().map(OsString::from).collect(),
            None => vec![text],
        },
        None => {
            let found = language.compilers.iter().find(|name| find(OsStr::new(name)).is_some());
            vec![OsString::from(found.unwrap_or(&language.compilers[0]))]
        }
    }
}

/// The file that the shell would run for this word.
fn find(program: &OsStr) -> Option<PathBuf> {
    let is_program = |path: &Path| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if program.to_string_lossy().contains('/') {
        return Some(PathBuf::from(program)).filter(|path| is_program(path));
    }
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|path| is_program(path))
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}
