//! Which machines there are: from a machine file, from a list in the form of other launchers, from `--host`.
//!
//! ```toml
//! ssh = ["ssh", "-F", "cluster/ssh_config"]   # how machines are reached; default ["ssh"]
//!
//! [[machine]]
//! name = "node1"
//! address = "192.0.2.1"          # what ssh is told; default: the name
//! slots = 4                      # ranks before the next machine gets some; default 1
//! hpvmd = "/opt/hpvm/bin/hpvmd"  # default: beside this hpvmrun
//! ```

use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// One machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub name: String,
    pub address: String,
    pub slots: u32,
    pub hpvmd: Option<PathBuf>,
    /// Words before the address; empty for this machine.
    pub ssh: Vec<String>,
}

impl Machine {
    /// A machine of which nothing but the name is known. `own` are the names of this one.
    fn named(name: &str, slots: u32, own: &[String]) -> Self {
        let ssh = if own.iter().any(|one| one == name) { Vec::new() } else { default_ssh() };
        Self { name: name.into(), address: name.into(), slots, hpvmd: None, ssh }
    }

    /// It is the one that `hpvmrun` runs on.
    pub fn is_here(&self) -> bool {
        self.ssh.is_empty()
    }
}

/// No question can be answered, and a machine that is off shall not hold up the job for minutes.
fn default_ssh() -> Vec<String> {
    ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20"].map(String::from).into()
}

/// The names by which this machine may be called.
pub fn own_names(host: &str) -> Vec<String> {
    let short = host.split('.').next().unwrap_or(host);
    ["localhost", "127.0.0.1", "::1", host, short].map(String::from).into()
}

/// Reads a machine file.
pub fn parse_file(text: &str, folder: &Path, own: &[String]) -> Result<Vec<Machine>, String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    known(&table, &["ssh", "machine"])?;
    let ssh = match table.get("ssh") {
        None => default_ssh(),
        Some(Value::String(word)) => vec![word.clone()],
        Some(Value::Array(words)) if !words.is_empty() => {
            words.iter().map(|word| word.as_str().map(String::from).ok_or("ssh: every word is a string")).collect::<Result<_, _>>()?
        }
        Some(_) => return Err("ssh is a string, or a list of them".into()),
    };
    let machines = table.get("machine").and_then(Value::as_array).ok_or("there is no [[machine]]")?;
    let machine = |(index, value): (usize, &Value)| -> Result<Machine, String> {
        let table = value.as_table().ok_or("machine is a list of tables: [[machine]]")?;
        known(table, &["name", "address", "slots", "hpvmd"])?;
        let text = |key: &str| match table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && !text.starts_with('-') => Ok(Some(text.clone())),
            Some(_) => Err(format!("machine {}: {key} is a string, not empty and without a dash before it", index + 1)),
        };
        let name = text("name")?.ok_or_else(|| format!("machine {} has no name", index + 1))?;
        let slots = match table.get("slots") {
            None => 1,
            Some(slots) => slots
                .as_integer()
                .and_then(|slots| u32::try_from(slots).ok())
                .filter(|slots| *slots > 0)
                .ok_or_else(|| format!("{name}: slots is a number above 0"))?,
        };
        let address = text("address")?.unwrap_or_else(|| name.clone());
        let here = [&name, &address].into_iter().any(|called| own.contains(called));
        let ssh = if here { Vec::new() } else { ssh.clone() };
        Ok(Machine { name, address, slots, hpvmd: text("hpvmd")?.map(|path| folder.join(path)), ssh })
    };
    let machines: Vec<_> = machines.iter().enumerate().map(machine).collect::<Result<_, _>>()?;
    different(machines)
}

/// Reads a list, one machine on each line.
pub fn parse_list(text: &str, own: &[String]) -> Result<Vec<Machine>, String> {
    let mut machines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(first) = words.next() else { continue };
        let mut machine = parse_name(first, own).map_err(|why| format!("line {number}: {why}"))?;
        for word in words {
            let slots = word.strip_prefix("slots=").and_then(|slots| slots.parse().ok()).filter(|slots| *slots > 0);
            machine.slots = slots.ok_or_else(|| format!("line {number}: {word:?} is not slots=NUMBER"))?;
        }
        machines.push(machine);
    }
    if machines.is_empty() {
        return Err("it names no machine".into());
    }
    different(machines)
}

/// `NAME` or `NAME:SLOTS`.
pub fn parse_name(text: &str, own: &[String]) -> Result<Machine, String> {
    let with_slots = text.rsplit_once(':').filter(|(name, _)| !name.contains(':'));
    let (name, slots) = match with_slots {
        Some((name, slots)) => {
            let slots = slots.parse().ok().filter(|slots| *slots > 0);
            (name, slots.ok_or_else(|| format!("{text:?}: what stands after the colon is a number of slots above 0"))?)
        }
        None => (text, 1),
    };
    if name.is_empty() || name.starts_with('-') {
        return Err(format!("{text:?} does not name a machine"));
    }
    Ok(Machine::named(name, slots, own))
}

fn known(table: &Table, keys: &[&str]) -> Result<(), String> {
    match table.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("{key} is not known; possible: {}", keys.join(", "))),
        None => Ok(()),
    }
}

fn different(machines: Vec<Machine>) -> Result<Vec<Machine>, String> {
    for (index, machine) in machines.iter().enumerate() {
        if machines[..index].iter().any(|other| other.name == machine.name) {
            return Err(format!("{} is there twice", machine.name));
        }
    }
    Ok(machines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Vec<String> {
        own_names("here.example")
    }

    #[test]
    fn a_machine_file() {
        let text = "ssh = [\"ssh\", \"-F\", \"x\"]\n[[machine]]\nname = \"a\"\naddress = \"192.0.2.1\"\nslots = 3\n\
                    [[machine]]\nname = \"here\"\nhpvmd = \"bin/hpvmd\"\n";
        let machines = parse_file(text, Path::new("/f"), &own()).unwrap();
        assert_eq!((machines[0].address.as_str(), machines[0].slots, machines[0].ssh.len()), ("192.0.2.1", 3, 3));
        assert!(machines[1].is_here() && machines[1].slots == 1);
        assert_eq!(machines[1].hpvmd.as_deref(), Some(Path::new("/f/bin/hpvmd")));
        for (text, why) in [
            ("", "no [[machine]]"),
            ("[[machine]]\n", "has no name"),
            ("[[machine]]\nname = \"-oProxyCommand=x\"", "dash"),
            ("[[machine]]\nname = \"a\"\nslots = 0", "above 0"),
            ("[[machine]]\nname = \"a\"\nslot = 1", "slot is not known"),
            ("[[machine]]\nname = \"a\"\n[[machine]]\nname = \"a\"", "twice"),
        ] {
            let found = parse_file(text, Path::new("/f"), &own()).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
    }

    #[test]
    fn lists_of_other_launchers() {
        let machines = parse_list("# two\na slots=4\n\nb:2  # and three\nlocalhost\n", &own()).unwrap();
        let seen: Vec<_> = machines.iter().map(|one| (one.name.as_str(), one.slots, one.is_here())).collect();
        assert_eq!(seen, [("a", 4, false), ("b", 2, false), ("localhost", 1, true)]);
        assert!(parse_list("a slots=x", &own()).unwrap_err().contains("line 1"));
        assert!(parse_list("# none", &own()).is_err());
        assert!(parse_name("a:0", &own()).is_err() && parse_name(":3", &own()).is_err() && parse_name("-l", &own()).is_err());
        assert!(parse_name("::1", &own()).unwrap().is_here());
    }
}
