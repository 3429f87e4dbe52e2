//! Source packages of the distribution, fetched into the cache.
//!
//! A fresh machine knows only binary packages. The entries for source packages are derived from its own list of
//! archives, in a folder of ours, so nothing about the machine changes and no archive's name is written here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{exec, repo, tools};

/// Where downloaded sources stay.
pub fn folder() -> Result<PathBuf> {
    let folder = repo::cache().join("sources");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// The original tarball of a source package and its upstream version; downloaded unless the cache has it.
pub fn tarball(package: &str) -> Result<(PathBuf, String)> {
    let folder = folder()?;
    if let Some(found) = find(&folder, package) {
        return Ok(found);
    }
    if exec::which("apt-get").is_none() {
        bail!("the source of {package} comes through apt-get, which this machine does not have");
    }
    tools::need(&[tools::XZ])?;
    eprintln!("xtask: fetching the source package {package}");
    let work = tempfile::tempdir()?;
    let apt = Apt::prepare(work.path())?;
    // An archive without sources makes this fail; whether the right one was there, the next step tells.
    let update = exec::quiet(apt.command().arg("update"));
    // Some archives lack the distribution's own changes to a package, which nobody here needs.
    let fetched = apt.command().current_dir(work.path()).args(["source", "--download-only", package]).output()?;
    let Some((file, version)) = find(work.path(), package) else {
        update?;
        if !fetched.status.success() {
            bail!("cannot fetch {package}: {}", String::from_utf8_lossy(&fetched.stderr).trim());
        }
        bail!("the source package {package} has no original tarball");
    };
    let kept = folder.join(file.file_name().expect("find returns files"));
    fs::copy(&file, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
    Ok((kept, version))
}

/// Unpacks a tarball, or `only` these parts of it, into a folder, without the tarball's topmost folder.
pub fn unpack(tarball: &Path, into: &Path, only: &[&str]) -> Result<()> {
    fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--strip-components=1", "--file"]).arg(tarball).arg("--directory").arg(into).args(only);
    exec::quiet(&mut tar).map(drop)
}

/// `PACKAGE_VERSION.orig.tar.*` in a folder.
fn find(folder: &Path, package: &str) -> Option<(PathBuf, String)> {
    let names = fs::read_dir(folder).ok()?.flatten();
    names.map(|entry| entry.path()).find_map(|path| {
        let name = path.file_name()?.to_str()?;
        let (version, kind) = name.strip_prefix(package)?.strip_prefix('_')?.split_once(".orig.tar.")?;
        (!kind.contains('.')).then(|| (path.clone(), version.to_owned()))
    })
}

/// An apt that knows source packages, with its state in a folder of ours.
struct Apt {
    state: PathBuf,
}

impl Apt {
    fn prepare(work: &Path) -> Result<Apt> {
        let state = work.join("apt");
        for folder in ["parts", "lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(state.join(folder))?;
        }
        let mut any = false;
        for (index, file) in lists_of_the_machine().into_iter().enumerate() {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let is_deb822 = file.extension().is_some_and(|extension| extension == "sources");
            let (text, extension) = if is_deb822 { (deb822(&text), "sources") } else { (one_line(&text), "list") };
            any |= !text.trim().is_empty();
            fs::write(state.join("parts").join(format!("{index}.{extension}")), text)?;
        }
        if !any {
            bail!("this machine's apt has no list of archives");
        }
        Ok(Apt { state })
    }

    fn command(&self) -> Command {
        let mut apt = Command::new("apt-get");
        let option = |name: &str, folder: &str| format!("-o{name}={}", self.state.join(folder).display());
        apt.arg("-qq")
            .args(["-oDir::Etc::sourcelist=/dev/null", "-oAPT::Sandbox::User=root"])
            .args([option("Dir::Etc::sourceparts", "parts"), option("Dir::State::lists", "lists")])
            .arg(option("Dir::Cache", "cache"));
        apt
    }
}

fn lists_of_the_machine() -> Vec<PathBuf> {
    let etc = Path::new("/etc/apt");
    let parts = fs::read_dir(etc.join("sources.list.d")).into_iter().flatten().flatten().map(|entry| entry.path());
    let active = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "list" || extension == "sources");
    let mut files: Vec<_> = parts.filter(active).collect();
    files.sort();
    files.insert(0, etc.join("sources.list"));
    files
}

/// The stanza format: `Types: deb` becomes `Types: deb-src`.
fn deb822(text: &str) -> String {
    let line = |line: &str| if line.starts_with("Types:") { "Types: deb-src".into() } else { line.to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// The one-line format: `deb …` becomes `deb-src …`, the rest is left out.
fn one_line(text: &str) -> String {
    let entries = text.lines().filter_map(|line| line.trim().strip_prefix("deb "));
    entries.map(|entry| format!("deb-src {entry}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_for_sources_are_derived() {
        assert_eq!(
            deb822("Types: deb\nURIs: http://archive.example/x\nSuites: stable"),
            "Types: deb-src\nURIs: http://archive.example/x\nSuites: stable\n"
        );
        assert_eq!(
            one_line("# deb no\ndeb [signed-by=/k] http://archive.example stable main\ndeb-src http://archive.example s m\n"),
            "deb-src [signed-by=/k] http://archive.example stable main\n"
        );
    }

    #[test]
    fn a_tarball_is_found_with_its_version() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["mpich_4.0.2-3.dsc", "mpich_4.0.2.orig.tar.xz.asc", "mpich_4.0.2.orig.tar.xz", "mpich_4.0.2-3.debian.tar.xz"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let (file, version) = find(dir.path(), "mpich").unwrap();
        assert_eq!((file.file_name().unwrap().to_str().unwrap(), &*version), ("mpich_4.0.2.orig.tar.xz", "4.0.2"));
        assert!(find(dir.path(), "mpi").is_none());
    }
}
