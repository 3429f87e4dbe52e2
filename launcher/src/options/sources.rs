//! The weaker sources: `HPVM_*` variables, and below them the configuration file.
//!
//! The file is TOML, `$HPVM_CONFIG` or else `hpvm/hpvmrun.toml` in the user's configuration folder; its
//! keys are the long names of the options of the whole job (`tag-output = true`).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use super::table::{self, FLAGS, FOREIGN_VARIABLES, Flag, Scope};
use super::{JobOptions, suggest, value};

/// Options as the file and the variables set them.
pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<JobOptions, String> {
    let mut job = JobOptions::default();
    if let Some((path, must_exist)) = file(&get) {
        match fs::read_to_string(&path) {
            Ok(text) => apply_file(&mut job, &text).map_err(|why| format!("{}: {why}", path.display()))?,
            // Not there, or in a folder that this user cannot look into (a container's, under another user id).
            Err(_) if !must_exist && fs::metadata(&path).is_err() => (),
            Err(error) => return Err(format!("cannot read the configuration file {}: {error}", path.display())),
        }
    }
    apply_variables(&mut job, &get)?;
    Ok(job)
}

fn file(get: &impl Fn(&str) -> Option<OsString>) -> Option<(PathBuf, bool)> {
    let set = |name: &str| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = set("HPVM_CONFIG") {
        return Some((path, true));
    }
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))?;
    Some((folder.join("hpvm/hpvmrun.toml"), false))
}

fn apply_file(job: &mut JobOptions, text: &str) -> Result<(), String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    for (key, value) in table {
        let flag = FLAGS.iter().find(|flag| flag.scope == Scope::Job && flag.long() == key);
        let flag = flag.ok_or_else(|| match table::find(&format!("--{key}")) {
            Some(_) => format!("{key} can be set on the command line only"),
            None => suggest::unknown(&format!("--{key}")),
        })?;
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => value.to_string(),
            _ => return Err(format!("{key} needs a single value")),
        };
        apply(job, flag, text.as_ref()).map_err(|why| format!("{key}: {why}"))?;
    }
    Ok(())
}

fn apply_variables(job: &mut JobOptions, get: &impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    let foreign = |flag: &Flag| FOREIGN_VARIABLES.iter().find(|(_, id)| *id == flag.id).map(|(name, _)| (*name).into());
    let names = FLAGS.iter().flat_map(|flag| [(flag, foreign(flag)), (flag, flag.variable())]);
    for (flag, name) in names.filter_map(|(flag, name)| Some((flag, name?))) {
        let Some(text) = get(&name) else { continue };
        apply(job, flag, &text).map_err(|why| format!("{name}={}: {why}", text.to_string_lossy()))?;
    }
    Ok(())
}

/// Nothing between the quotes means nothing: a script may blank a variable out.
fn apply(job: &mut JobOptions, flag: &Flag, text: &OsStr) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { value::set(job, flag, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::BindTo;
    use std::io::Write as _;
    use std::time::Duration;

    fn read_with(file: &str, variables: &[(&str, &str)]) -> Result<JobOptions, String> {
        let mut config = tempfile::NamedTempFile::new().unwrap();
        config.write_all(file.as_bytes()).unwrap();
        read(|name| match name {
            "HPVM_CONFIG" => Some(config.path().into()),
            _ => variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into()),
        })
    }

    #[test]
    fn variables_are_stronger_than_the_file() {
        let job = read_with(
            "tag-output = true\ntimeout = 3\nbind-to = \"core\"\n",
            &[("HPVM_TIMEOUT", "4.5"), ("HPVM_TIMESTAMP", "1"), ("HPVM_BIND_TO", "")],
        )
        .unwrap();
        assert!(job.tag_output && job.timestamp);
        assert_eq!((job.timeout, job.bind_to), (Some(Duration::from_millis(4500)), Some(BindTo::Core)));
        assert!(!read_with("tag-output = true", &[("HPVM_TAG_OUTPUT", "no")]).unwrap().tag_output);
    }

    #[test]
    fn our_variable_is_stronger_than_that_of_another_launcher() {
        let timeout =
            |variables: &[(&str, &str)]| read_with("timeout = 1", variables).unwrap().timeout.unwrap().as_secs();
        assert_eq!(timeout(&[("MPIEXEC_TIMEOUT", "7")]), 7);
        assert_eq!(timeout(&[("MPIEXEC_TIMEOUT", "7"), ("HPVM_TIMEOUT", "8")]), 8);
    }

    #[test]
    fn errors_name_their_source() {
        for (file, variables, expected) in [
            ("tag-outputs = 1", &[][..], "--tag-output?"),
            ("np = 3", &[], "command line only"),
            ("timeout = [1]", &[], "single value"),
            ("timeout = ", &[], "/tmp/"),
            ("encrypt = 2", &[], "neither yes nor no"),
            ("", &[("HPVM_TIMEOUT", "soon")], "HPVM_TIMEOUT=soon"),
        ] {
            let text = read_with(file, variables).unwrap_err();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn only_a_named_file_has_to_exist() {
        let missing = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/nowhere/at/all".into());
        assert_eq!(read(missing), Ok(JobOptions::default()));
        let named = |name: &str| (name == "HPVM_CONFIG").then(|| "/nowhere/at/all".into());
        assert!(read(named).unwrap_err().contains("/nowhere/at/all"));
    }
}
