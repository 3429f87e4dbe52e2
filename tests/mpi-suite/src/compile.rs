//! Compiles the programs with an installation's wrappers, two at a time, and only what changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::Mpi;
use crate::manifest::{Language, Test};

/// A thing to build: a program, or a library to preload.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Unit {
    pub source: String,
    pub language: Language,
    pub flags: Vec<String>,
    pub shared: bool,
}

/// Where each unit lies after building, or why it does not.
pub type Built = BTreeMap<Unit, Result<PathBuf, String>>;

impl Unit {
    pub fn program(test: &Test, language: Language) -> Unit {
        Unit { source: test.program.clone(), language, flags: test.flags.clone(), shared: false }
    }

    /// A preloaded library must not contain an MPI itself: it is compiled with `mpicc` but calls what it finds.
    pub fn preload(test: &Test) -> Option<Unit> {
        (!test.preload.is_empty()).then(|| Unit {
            source: test.preload.clone(),
            language: Language::C,
            flags: Vec::new(),
            shared: true,
        })
    }

    fn output(&self, bin_dir: &Path) -> PathBuf {
        let stem = self.source.rsplit_once('.').map_or(self.source.as_str(), |(stem, _)| stem).replace('/', ".");
        let language = match self.language {
            Language::C => "",
            Language::Cxx => ".cxx",
        };
        let flags: String = self.flags.concat().chars().filter(char::is_ascii_alphanumeric).collect();
        let ending = if self.shared { ".so" } else { "" };
        bin_dir.join(format!("{stem}{language}{flags}{ending}"))
    }
}

/// Builds all units with `jobs` compilers at a time.
pub fn build_all(mpi: &Mpi, c_dir: &Path, bin_dir: &Path, units: Vec<Unit>, jobs: usize) -> Result<Built> {
    std::fs::create_dir_all(bin_dir).with_context(|| format!("creating {}", bin_dir.display()))?;
    let newest_common = newest_input(mpi, c_dir);
    let next = AtomicUsize::new(0);
    let built = Mutex::new(Built::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = build_one(mpi, c_dir, bin_dir, unit, newest_common).map_err(|e| format!("{e:#}"));
                    built.lock().expect("a compiling thread panicked").insert(unit.clone(), result);
                }
            });
        }
    });
    Ok(built.into_inner().expect("a compiling thread panicked"))
}

fn build_one(mpi: &Mpi, c_dir: &Path, bin_dir: &Path, unit: &Unit, newest_common: SystemTime) -> Result<PathBuf> {
    let source = c_dir.join(&unit.source);
    let output = unit.output(bin_dir);
    let source_time = modified(&source).with_context(|| format!("no source {}", source.display()))?;
    if modified(&output).is_some_and(|made| made > source_time.max(newest_common)) {
        return Ok(output);
    }
    let mut command = match unit.language {
        Language::C => Command::new(&mpi.mpicc),
        Language::Cxx => Command::new(&mpi.mpicxx),
    };
    match unit.language {
        Language::C => command.arg("-std=gnu11"),
        Language::Cxx => command.args(["-x", "c++", "-std=gnu++17"]),
    };
    command.args(["-O1", "-g", "-D_GNU_SOURCE"]);
    // A warning in a program of ours, or from our own header, is an error; other headers have warnings of their own.
    command.args(if mpi.ours { ["-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"].as_slice() } else { &["-w"] });
    command.arg("-I").arg(c_dir.join("common")).args(&unit.flags);
    if unit.shared {
        command.args(["-shared", "-fPIC"]);
    }
    command.arg(&source).arg("-o").arg(&output).args(["-pthread", "-lm"]).stdin(Stdio::null());
    let done = command.output().with_context(|| format!("running {}", mpi.mpicc.display()))?;
    if !done.status.success() {
        bail!("does not compile: {}", errors_of(&String::from_utf8_lossy(&done.stderr)));
    }
    Ok(output)
}

/// The lines of a compiler's output that say what is wrong; all of it when none does.
fn errors_of(text: &str) -> String {
    let errors: Vec<&str> = text.lines().filter(|line| line.contains("error") || line.contains("undefined")).collect();
    if errors.is_empty() { text.trim().into() } else { errors[..errors.len().min(5)].join("\n      ") }
}

/// What every program depends on: the common headers, the wrapper and the installation's headers.
fn newest_input(mpi: &Mpi, c_dir: &Path) -> SystemTime {
    let mut inputs = vec![mpi.mpicc.clone()];
    let mut folders = vec![c_dir.join("common")];
    if let Some(prefix) = mpi.mpicc.parent().and_then(Path::parent) {
        inputs.push(prefix.join("include/mpi.h"));
        folders.push(prefix.join("include/hpvm"));
    }
    for entries in folders.into_iter().filter_map(|folder| std::fs::read_dir(folder).ok()) {
        inputs.extend(entries.flatten().map(|entry| entry.path()));
    }
    inputs.iter().filter_map(|path| modified(path)).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}
