//! Error classes, codes and strings that the program adds (MPI 5.0 section 9.5).

use super::LASTCODE;
use crate::bail;
use crate::error::Result;
use std::collections::BTreeMap;

struct Code {
    class: i32,
    text: Option<String>,
}

/// A class is a code of its own class.
pub(super) struct User {
    codes: BTreeMap<i32, Code>,
}

impl User {
    pub(super) const fn new() -> User {
        User { codes: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, code: i32, class: i32) {
        self.codes.insert(code, Code { class, text: None });
    }

    pub(super) fn class_of(&self, code: i32) -> Option<i32> {
        self.codes.get(&code).map(|code| code.class)
    }

    /// Empty when the program has set none, as the standard asks.
    pub(super) fn text_of(&self, code: i32) -> Option<&str> {
        self.codes.get(&code).map(|code| code.text.as_deref().unwrap_or(""))
    }

    fn get(&mut self, code: i32) -> Result<&mut Code> {
        match self.codes.get_mut(&code) {
            Some(code) => Ok(code),
            None if code <= LASTCODE => {
                bail!(ARG, "{code} is one of MPI's own error codes: only added ones can be changed")
            }
            None => bail!(ARG, "{code} is no error class or code that was added"),
        }
    }

    pub(super) fn set_text(&mut self, code: i32, text: Option<String>) -> Result<()> {
        self.get(code)?.text = text;
        Ok(())
    }

    pub(super) fn remove_text(&mut self, code: i32) -> Result<()> {
        if self.get(code)?.text.take().is_none() {
            bail!(ARG, "error code {code} has no string to remove");
        }
        Ok(())
    }

    pub(super) fn remove_class(&mut self, class: i32) -> Result<()> {
        let entry = self.get(class)?;
        if entry.class != class {
            bail!(ARG, "{class} is an error code of class {}, not a class", entry.class);
        }
        let is_used = |(code, entry): (&i32, &Code)| entry.class == class && *code != class;
        if let Some((code, _)) = self.codes.iter().find(|&(code, entry)| is_used((code, entry))) {
            bail!(ARG, "error class {class} still has error code {code}, which must be removed first");
        }
        self.remove(class)
    }

    pub(super) fn remove_code(&mut self, code: i32) -> Result<()> {
        if self.get(code)?.class == code {
            bail!(ARG, "{code} is an error class, not a code");
        }
        self.remove(code)
    }

    fn remove(&mut self, code: i32) -> Result<()> {
        if self.get(code)?.text.is_some() {
            bail!(ARG, "error code {code} still has an error string, which must be removed first");
        }
        self.codes.remove(&code);
        Ok(())
    }
}
