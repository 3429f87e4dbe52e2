//! The table of thresholds that a job's library goes by: the file that `cargo xtask tune` writes, or that a user has written.
//!
//! Read here, once for the whole job: members of a communicator must choose alike, and each machine might have a table of its own. So the
//! table of the machine that `hpvmrun` runs on counts for all, and each rank gets what it sets (`hpvm_wire::tuning`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use hpvm_wire::tuning::{KEYS, Thresholds};
use toml::{Spanned, Value};

use crate::node::machines::fault::Fault;
use crate::node::machines::find::{NO_FILE, Why, read_text, show, users};
use crate::node::machines::values::shown;
use crate::options::suggest::nearest;

/// Where tables are looked for; the first that exists is read. `program` is this one, which knows its prefix by where it lies.
pub fn places(get: impl Fn(&str) -> Option<OsString>, program: Option<&Path>) -> Vec<(PathBuf, Why)> {
    let user = users(get).map(|folder| (folder.join("hpvm/tuning.toml"), Why::User));
    let prefix = program.and_then(|program| program.parent()?.parent());
    let installed = prefix.map(|prefix| (prefix.join("share/hpvm/tuning.toml"), Why::Installed));
    user.into_iter().chain([("/etc/hpvm/tuning.toml".into(), Why::System)]).chain(installed).collect()
}

/// What the table sets, and a sentence about which one it was.
///
/// # Errors
/// What is wrong with it, and where.
pub fn read(asked: Option<&Path>, places: &[(PathBuf, Why)]) -> Result<(Thresholds, String), String> {
    if asked.is_some_and(|path| path == Path::new(NO_FILE)) {
        return Ok((Thresholds::default(), "thresholds: those of the library, as asked for".into()));
    }
    if let Some(path) = asked {
        return Ok(described(of_file(path)?, path, Why::Asked));
    }
    let exists = |path: &Path| fs::metadata(path).is_ok_and(|kind| !kind.is_dir());
    let Some((path, why)) = places.iter().find(|(path, _)| exists(path)) else {
        let looked: Vec<String> = places.iter().map(|(path, _)| path.display().to_string()).collect();
        return Ok((Thresholds::default(), format!("thresholds: those of the library; looked for {}", looked.join(", "))));
    };
    match of_file(path) {
        Ok(thresholds) => Ok(described(thresholds, path, *why)),
        Err(text) => Err(format!("{text}\n  the file was not asked for: {why}; --tuning {NO_FILE} leaves it out")),
    }
}

fn described(thresholds: Thresholds, path: &Path, why: Why) -> (Thresholds, String) {
    let set: Vec<String> = thresholds.iter().map(|(key, value)| format!("{} = {value}", key.in_tables())).collect();
    let set = if set.is_empty() { "nothing".into() } else { set.join(", ") };
    (thresholds, format!("thresholds: {} ({why}) sets {set}", path.display()))
}

fn of_file(path: &Path) -> Result<Thresholds, String> {
    let text = read_text(path)?;
    parse(&text).map_err(|fault| show(&fault, path, &text))
}

/// Reads a table: names of thresholds and whole numbers.
pub fn parse(text: &str) -> Result<Thresholds, Fault> {
    let in_words = |error: toml::de::Error| Fault::new(error.message().replace('\n', " "), error.span().unwrap_or(0..0));
    let table: BTreeMap<Spanned<String>, Spanned<Value>> = toml::from_str(text).map_err(in_words)?;
    let mut thresholds = Thresholds::default();
    for (name, value) in table {
        let found = KEYS.into_iter().find(|key| key.in_tables() == *name.get_ref());
        let key = found.ok_or_else(|| Fault::new(format!("unknown key {}: {}", name.get_ref(), hint(name.get_ref())), name.span()))?;
        let number = value.get_ref().as_integer().and_then(|number| u64::try_from(number).ok());
        let wrong = || format!("expected a whole number from {} to {}, found {}", key.least, key.most, shown(value.get_ref()));
        thresholds.set(key, number.filter(|number| key.allows(*number)).ok_or_else(|| Fault::new(wrong(), value.span()))?);
    }
    Ok(thresholds)
}

fn hint(name: &str) -> String {
    let known: Vec<String> = KEYS.iter().map(|key| key.in_tables()).collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "docs/tuning.md lists those there are".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_counts() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, why| (folder.path().join(name), why);
        let places = [place("user", Why::User), place("system", Why::System), place("installed", Why::Installed)];
        let (none, why) = read(None, &places).unwrap();
        assert!(none.is_empty() && why.contains("looked for") && why.contains("/installed"), "{why}");
        for (name, value, because) in [("installed", 3, "it is the installation's"), ("system", 2, "it is the system's"), ("user", 1, "it is the user's")] {
            fs::write(folder.path().join(name), format!("gather-board-max = {value}\n")).unwrap();
            let (found, why) = read(None, &places).unwrap();
            assert_eq!(found.to_string(), format!("gather_board_max={value}"));
            assert!(why.ends_with(&format!("/{name} ({because}) sets gather-board-max = {value}")), "{why}");
        }
        let asked = folder.path().join("system");
        assert_eq!(read(Some(&asked), &places).unwrap().0.to_string(), "gather_board_max=2");
        assert!(read(Some(Path::new(NO_FILE)), &places).unwrap().0.is_empty());
        assert!(read(Some(&folder.path().join("nowhere")), &places).unwrap_err().starts_with("cannot read "));
    }

    #[test]
    fn places_of_a_user_and_of_a_prefix() {
        let get = |name: &str| (name == "HOME").then(|| "/h".into());
        let shown = |program: Option<&Path>| places(get, program).iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(None), "/h/.config/hpvm/tuning.toml /etc/hpvm/tuning.toml");
        assert!(shown(Some(Path::new("/p/bin/hpvmrun"))).ends_with(" /p/share/hpvm/tuning.toml"));
    }

    #[test]
    fn a_table_sets_thresholds() {
        let text = "# of this machine\nfetch-bytes-min = 4_096\nallreduce-alone-max = 0x8000\n";
        assert_eq!(parse(text).unwrap().to_string(), "allreduce_alone_max=32768 fetch_bytes_min=4096");
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (text, expected) in [
            ("\nbcast-bord-max = 1", "t:2:1: unknown key bcast-bord-max: did you mean bcast-board-max?"),
            ("speed = 11", "t:1:1: unknown key speed: docs/tuning.md lists those there are"),
            ("bcast_board_max = 1", "t:1:1: unknown key bcast_board_max: did you mean bcast-board-max?"),
            ("gather-board-max = -1", "t:1:20: expected a whole number from 0 to 1099511627776, found -1"),
            ("gather-board-max = \"8k\"", "t:1:20: expected a whole number from 0 to 1099511627776, found \"8k\""),
            ("gather-board-max = 1.5", "found 1.5"),
            ("board-piece-max = 64", "expected a whole number from 1024 to 32768, found 64"),
            ("[gather-board-max]", "found a table"),
            ("gather-board-max = 1\ngather-board-max = 2", "t:2:1: duplicate key"),
            ("gather-board-max", "t:1:"),
        ] {
            let found = parse(text).unwrap_err().show("t", text);
            assert!(found.contains(expected), "{text}: {found}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tuning.toml");
        fs::write(&path, "speed = 11").unwrap();
        let why = read(None, &[(path.clone(), Why::User)]).unwrap_err();
        assert!(why.contains("tuning.toml:1:1: unknown key") && why.ends_with("it is the user's; --tuning none leaves it out"), "{why}");
        assert!(!read(Some(&path), &[]).unwrap_err().contains("--tuning"));
    }
}
