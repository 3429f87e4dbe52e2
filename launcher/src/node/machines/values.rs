//! Values of a machine file. Each knows what it expects, and says so.

use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, Error};
use toml::Value;

/// What was expected, and what stands there instead.
pub fn expected<E: Error>(wanted: &str, found: &Value) -> E {
    E::custom(format!("expected {wanted}, found {}", shown(found)))
}

/// A value as an error names it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) => "a list".into(),
        Value::Table(_) => "a table".into(),
        other => other.to_string(),
    }
}

/// A text that is not empty, and that no program takes for an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) if text.starts_with('-') => Err(Error::custom(format!("expected a text that does not begin with a dash, found {text:?}"))),
            Value::String(text) if !text.is_empty() => Ok(Self(text)),
            other => Err(expected("a text in quotes", &other)),
        }
    }
}

/// A number above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let number = value.as_integer().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| expected("a whole number above 0", &value))
    }
}

/// A command in words; a single one may stand by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command(pub Vec<String>);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let words = match &value {
            Value::String(word) if !word.contains(char::is_whitespace) => Some(vec![word.clone()]),
            Value::Array(_) => words(&value),
            _ => None,
        };
        let words = words.filter(|words| words.first().is_some_and(|program| !program.is_empty()));
        words.map(Self).ok_or_else(|| expected(r#"a command as a list of words, like ["ssh", "-p", "2222"]"#, &value))
    }
}

/// Words, perhaps none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        words(&value).map(Self).ok_or_else(|| expected("a list of texts in quotes", &value))
    }
}

fn words(value: &Value) -> Option<Vec<String>> {
    let word = |word: &Value| Some(word.as_str()?.to_owned());
    value.as_array()?.iter().map(word).collect()
}

/// The networks of machines: names, or names with the machines' addresses there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(pub Vec<(String, Option<String>)>);

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let pairs = match &value {
            Value::Table(table) => table.iter().map(|(name, address)| Some((name.clone(), Some(address.as_str()?.to_owned())))).collect(),
            _ => words(&value).map(|names| names.into_iter().map(|name| (name, None)).collect()),
        };
        pairs.map(Self).ok_or_else(|| expected(r#"a list of networks, or a table like { ib = "10.1.0.1" }"#, &value))
    }
}

/// The name of a machine, a network, a site, a label.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_fine = |letter: char| letter.is_alphanumeric() || "._-@:%".contains(letter);
    match name.chars().find(|letter| !is_fine(*letter)) {
        _ if name.is_empty() => Err("expected a name, found nothing".into()),
        _ if name.starts_with(['-', '@']) => Err(format!("expected a name, and none begins with {:?}, found {name:?}", &name[..1])),
        Some(letter) => Err(format!("expected a name of letters, digits and . _ - @ : %, found {letter:?} in {name:?}")),
        None => Ok(()),
    }
}

/// Where others reach a machine.
pub fn ip_address(text: &str) -> Result<IpAddr, String> {
    let address: IpAddr = text.parse().map_err(|_| match text.parse::<std::net::SocketAddr>() {
        Ok(_) => format!("expected an address without a port, found {text:?}: each rank has a port of its own"),
        Err(_) if text.contains('%') => format!("expected an address that holds on every machine, found {text:?}: after the % is a name of one machine's"),
        Err(_) => format!("expected an IPv4 or IPv6 address, found {text:?}; a name may mean different addresses on different machines"),
    })?;
    if address.is_unspecified() || address.is_multicast() {
        return Err(format!("expected the address of one machine, found {text:?}"));
    }
    Ok(address)
}
