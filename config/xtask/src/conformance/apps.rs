//! Applications: programs that nobody here wrote, from the distribution's source packages, built with our `mpicc` and judged by their own
//! checks. Each is a directory of the report.

mod fftw;
mod hpcc;
mod scotch;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};
use mpi_suite::report::{Dir, NotPassed, Report};

use super::place::Place;
use super::{Options, source};
use crate::tools::{self, Library, Tool};
use crate::{exec, repo};

/// One application.
struct App {
    name: &'static str,
    /// Its source package.
    package: &'static str,
    tools: &'static [Tool],
    libraries: &'static [Library],
    build: fn(&Site) -> Result<()>,
    check: fn(&Site) -> Result<Vec<Checked>>,
}

/// A check by its name, and why it was not passed.
type Checked = (String, Option<String>);

const APPS: &[App] = &[fftw::APP, hpcc::APP, scotch::APP];

/// With how many ranks they run, where they leave that open.
const RANKS: usize = 4;

/// Seconds for one launch.
const LIMIT: u64 = 300;

/// Where an application is built and run.
struct Site<'a> {
    place: Place,
    prefix: &'a Path,
    /// Where what it said is kept.
    kept: &'a Path,
    name: &'static str,
    limit: u64,
    launcher_args: &'a [OsString],
}

impl Site<'_> {
    fn source(&self) -> PathBuf {
        self.place.root.join("source")
    }

    fn mpicc(&self) -> String {
        self.prefix.join("bin/mpicc").display().to_string()
    }

    /// The launcher with its arguments, for a makefile.
    fn mpirun(&self) -> String {
        let mut words = vec![self.prefix.join("bin/hpvmrun").display().to_string()];
        words.extend(self.launcher_args.iter().map(|arg| arg.to_string_lossy().into_owned()));
        words.join(" ")
    }

    fn log(&self, what: &str) -> PathBuf {
        self.kept.join(format!("{}.{what}.log", self.name))
    }

    /// `make` in a folder of the source.
    fn make(&self, folder: &str) -> Command {
        let mut make = Command::new("make");
        make.arg("--silent").current_dir(self.source().join(folder));
        // The calling cargo's own make, if there is one, has nothing to say here.
        make.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
        // hpvmrun ends what hangs.
        make.env("HPVM_TIMEOUT", self.limit.to_string());
        make
    }
}

pub fn run(options: &Options, prefix: &Path) -> Result<Report> {
    let apps: Vec<&App> = APPS.iter().filter(|app| options.wants_dir(app.name)).collect();
    if apps.is_empty() {
        bail!("the applications are {}", APPS.iter().map(|app| app.name).collect::<Vec<_>>().join(", "));
    }
    fs::create_dir_all(&options.kept)?;
    let mut report = Report { suite: "apps".into(), version: repo::VERSION.into(), ranks: RANKS, ..Report::default() };
    for app in apps {
        let dir = run_app(options, app, prefix)?;
        println!("{}: {} of {} passed in {:.0} s", app.name, dir.pass, dir.listed, dir.seconds);
        report.dirs.push(dir);
    }
    Ok(report)
}

fn run_app(options: &Options, app: &App, prefix: &Path) -> Result<Dir> {
    let start = Instant::now();
    tools::need(&[tools::CC, tools::MAKE])?;
    tools::need(app.tools)?;
    tools::need_libraries(app.libraries)?;
    let (tarball, version) = source::tarball(app.package)?;
    let limit = options.limit.map_or(LIMIT, |limit| limit.min(LIMIT));
    let place = Place::open(app.package, &version, prefix)?;
    let site = Site { place, prefix, kept: &options.kept, name: app.name, limit, launcher_args: &options.launcher_args };
    site.place.once("built", prefix, || {
        eprintln!("xtask: building {} {version}", app.package);
        let _ = fs::remove_dir_all(site.source());
        source::unpack(&tarball, &site.source(), &[])?;
        (app.build)(&site)
    })?;
    let mut dir = Dir { dir: app.name.into(), ..Dir::default() };
    for (name, why) in (app.check)(&site)? {
        dir.listed += 1;
        match why {
            None => dir.pass += 1,
            Some(why) => {
                println!("FAIL  {}/{name}: {why}", app.name);
                dir.fail.push(NotPassed { name, why });
            }
        }
    }
    dir.seconds = start.elapsed().as_secs_f64();
    Ok(dir)
}

/// Runs a command into a log; says why it failed, not that the caller cannot go on.
fn tried(command: &mut Command, log: &Path) -> Option<String> {
    exec::logged(command, log).err().map(|error| format!("{error:#}"))
}
