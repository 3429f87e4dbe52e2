//! Finds the program, and says what is wrong with it before anything is started.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD};

/// The file to execute. A name with a slash is taken as it stands, relative to the rank's working
/// folder; one without is looked for in `PATH` and, as other launchers do, then in that folder.
pub fn find(name: &OsStr, path: Option<&OsStr>, work_dir: &Path) -> Result<PathBuf, String> {
    let shown = name.to_string_lossy();
    if name.as_bytes().contains(&b'/') {
        let file = work_dir.join(name);
        check(&file).map_err(|why| format!("cannot run {shown}: {why}"))?;
        return Ok(file);
    }
    let mut refused = None;
    let folders = std::env::split_paths(path.unwrap_or(OsStr::new("/usr/bin:/bin")));
    for folder in folders.chain([PathBuf::from(".")]) {
        let file = work_dir.join(folder).join(name);
        match check(&file) {
            Ok(()) => return Ok(file),
            Err(why) if fs::symlink_metadata(&file).is_ok() => {
                refused.get_or_insert_with(|| format!("cannot run {}: {why}", file.display()));
            }
            Err(_) => (),
        }
    }
    Err(refused.unwrap_or_else(|| format!("cannot run {shown}: it is neither in PATH nor in {}", work_dir.display())))
}

fn check(file: &Path) -> Result<(), String> {
    let kind = fs::metadata(file).map_err(|error| error.to_string())?;
    if kind.is_dir() {
        return Err("it is a directory".into());
    }
    if !kind.is_file() {
        return Err("it is not a regular file".into());
    }
    if let Err(errno) = rustix::fs::accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS) {
        let mode = kind.permissions().mode() & 0o7777;
        return Err(format!("it is not executable for this user (mode {mode:04o}): {}", io::Error::from(errno)));
    }
    Ok(())
}

/// What a failed `exec` means, beyond the text of its errno.
pub fn explain_exec(file: &Path, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOENT) => match interpreter(file) {
            Some(named) => format!("the interpreter it names, {}, does not exist ({error})", named.to_string_lossy()),
            None if file.exists() => format!("the loader it was linked with does not exist on this machine ({error})"),
            None => error.to_string(),
        },
        Some(libc::EACCES) => match interpreter(file) {
            Some(named) => format!("it, or its interpreter {}, may not be executed ({error})", named.to_string_lossy()),
            None => format!("it may not be executed; is its file system mounted noexec? ({error})"),
        },
        Some(libc::ENOEXEC) => format!(
            "it is no program that this machine can execute: a script needs a first line like #!/bin/sh, a binary has to \
             be built for this processor ({error})"
        ),
        _ => error.to_string(),
    }
}

/// What stands after `#!`.
fn interpreter(file: &Path) -> Option<OsString> {
    let mut start = Vec::new();
    File::open(file).ok()?.take(256).read_to_end(&mut start).ok()?;
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let carriage = if line.contains(&b'\r') { " (the line ends in a carriage return)" } else { "" };
    let mut named = OsStr::from_bytes(words.find(|word| !word.is_empty())?).to_owned();
    named.push(carriage);
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "#!/no/such/shell -x\n").unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        put("good", 0o755);
        put("plain", 0o644);
        fs::create_dir(folder.path().join("dir")).unwrap();
        folder
    }

    #[rstest]
    #[case("./dir", "directory")]
    #[case("./plain", "mode 0644")]
    #[case("./none", "No such file")]
    #[case("none", "neither in PATH nor in /")]
    #[case("plain", "not executable")]
    #[case("/dev/null", "not a regular file")]
    fn what_is_wrong_is_said(#[case] name: &str, #[case] expected: &str) {
        let folder = folder();
        let text = find(name.as_ref(), Some("/bin".as_ref()), folder.path()).unwrap_err();
        assert!(text.contains(expected) && text.contains(name), "{text}");
    }

    #[test]
    fn path_first_then_the_working_folder() {
        let folder = folder();
        let find = |name: &str, path: &str| find(name.as_ref(), Some(path.as_ref()), folder.path());
        assert_eq!(find("sh", "/nowhere:/bin"), Ok("/bin/sh".into()));
        assert_eq!(find("good", "/bin"), Ok(folder.path().join("./good")));
        assert_eq!(find("./good", "/bin"), Ok(folder.path().join("./good")));
    }

    #[test]
    fn a_missing_interpreter_is_named() {
        let folder = folder();
        let text = explain_exec(&folder.path().join("good"), &io::Error::from_raw_os_error(libc::ENOENT));
        assert!(text.contains("/no/such/shell,"), "{text}");
    }
}
