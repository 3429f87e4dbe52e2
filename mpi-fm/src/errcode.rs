//! Error codes: the integers that MPI functions return, and what a program may ask about them (MPI 5.0 sections 9.4 and 9.5).
//!
//! | code | meaning |
//! |---|---|
//! | 1 … 62 | an error class: its general text |
//! | 64 … 16383, low six bits a class | an error that happened: the upper bits say which of the recent texts is its own |
//! | 1001 … 1018 | classes of the tool interface |
//! | above 16383 (`MPI_ERR_LASTCODE`) | classes and codes that the program added |
//!
//! [`ErrorCodes`] works before `MPI_Init` and after `MPI_Finalize`, as the standard asks of these functions.

mod recent;
mod user;

use crate::constants::MAX_ERROR_STRING;
use crate::error::{Class, Error, Result};
use parking_lot::Mutex;
use recent::Recent;
use std::sync::atomic::{AtomicI32, Ordering};
use user::User;

/// The largest number among the standard's classes and the codes made by the library.
pub const LASTCODE: i32 = 16383;

/// Bits of a code that hold its class.
const CLASS_BITS: u32 = 6;
const _: () = assert!(Class::ALL.len() < 1 << CLASS_BITS, "classes do not fit the low bits of a code");

/// Every error code that means something in this process.
pub struct ErrorCodes {
    recent: Mutex<Recent>,
    user: Mutex<User>,
    /// The value of `MPI_LASTUSEDCODE`: programs get a pointer to it.
    last_used: AtomicI32,
}

impl ErrorCodes {
    pub const fn new() -> ErrorCodes {
        ErrorCodes {
            recent: Mutex::new(Recent::new()),
            user: Mutex::new(User::new()),
            last_used: AtomicI32::new(LASTCODE),
        }
    }

    /// The code for an error that happened. Its text is kept for `MPI_Error_string` until some 250 later errors have happened.
    ///
    /// An error whose class is no class of the standard is a code already (from a callback of the program): it stays as it is,
    /// so that the program finds its own number again.
    pub fn code(&self, error: &Error) -> i32 {
        // Programs compare these with the class itself (MPI 5.0 section 3.7.5).
        if matches!(error.class, Class::IN_STATUS | Class::PENDING) {
            return error.class.0;
        }
        match general_text(error.class.0) {
            Some(general) if error.class.0 < 1 << CLASS_BITS && general != error.text => {
                error.class.0 | (self.recent.lock().keep(&error.text) as i32) << CLASS_BITS
            }
            _ => error.class.0,
        }
    }

    /// `MPI_Error_class`; `None` for a number that is no code.
    pub fn class_of(&self, code: i32) -> Option<i32> {
        match code {
            0 => Some(0),
            _ if general_text(code).is_some() => Some(code),
            1..=LASTCODE => {
                let class = code & ((1 << CLASS_BITS) - 1);
                general_text(class).is_some().then_some(class)
            }
            _ => self.user.lock().class_of(code),
        }
    }

    /// `MPI_Error_string`, without the closing NUL and short enough for `MPI_MAX_ERROR_STRING`. `None` for a number that is no
    /// code.
    pub fn text_of(&self, code: i32) -> Option<String> {
        let class = self.class_of(code)?;
        if code == 0 {
            return Some("no error".into());
        }
        if code > LASTCODE {
            return self.user.lock().text_of(code).map(str::to_owned);
        }
        let general = general_text(class)?;
        if code == class {
            return Some(general.into());
        }
        Some(match self.recent.lock().text(code >> CLASS_BITS) {
            Some(text) => truncated(format!("{}: {text}", name(class))),
            None => general.into(),
        })
    }

    /// `MPI_Add_error_class`.
    pub fn add_class(&self) -> Result<i32> {
        let mut user = self.user.lock();
        let class = self.next()?;
        user.add(class, class);
        Ok(class)
    }

    /// `MPI_Add_error_code`: `class` may be the standard's or the program's own.
    pub fn add_code(&self, class: i32) -> Result<i32> {
        let mut user = self.user.lock();
        let known = if class > LASTCODE { user.class_of(class) == Some(class) } else { general_text(class).is_some() };
        if !known {
            crate::bail!(ARG, "{class} is no error class");
        }
        let code = self.next()?;
        user.add(code, class);
        Ok(code)
    }

    /// A fresh number. They are not used again: a code that went astray never gets another meaning.
    fn next(&self) -> Result<i32> {
        match self.last_used.load(Ordering::Relaxed).checked_add(1) {
            None => crate::bail!(OTHER, "all numbers for error classes and codes are used up"),
            Some(next) => {
                self.last_used.store(next, Ordering::Relaxed);
                Ok(next)
            }
        }
    }

    /// `MPI_Add_error_string`: also replaces a text, and an empty one takes it away.
    pub fn add_text(&self, code: i32, text: &[u8]) -> Result<()> {
        if text.len() >= MAX_ERROR_STRING {
            crate::bail!(ARG, "an error string of {} bytes is longer than {}", text.len(), MAX_ERROR_STRING - 1);
        }
        self.user.lock().set_text(code, Some(String::from_utf8_lossy(text).into_owned()))
    }

    /// `MPI_Remove_error_class`.
    pub fn remove_class(&self, class: i32) -> Result<()> {
        self.user.lock().remove_class(class)
    }

    /// `MPI_Remove_error_code`.
    pub fn remove_code(&self, code: i32) -> Result<()> {
        self.user.lock().remove_code(code)
    }

    /// `MPI_Remove_error_string`.
    pub fn remove_text(&self, code: i32) -> Result<()> {
        self.user.lock().remove_text(code)
    }

    /// Where the value of `MPI_LASTUSEDCODE` lives: it only grows.
    pub fn last_used(&self) -> &AtomicI32 {
        &self.last_used
    }
}

impl Default for ErrorCodes {
    fn default() -> Self {
        ErrorCodes::new()
    }
}

/// The text of one of the standard's classes.
fn general_text(class: i32) -> Option<&'static str> {
    let find = |table: &'static [(Class, &str, &'static str)]| {
        table.iter().find(|(known, ..)| known.0 == class).map(|(.., text)| *text)
    };
    find(Class::ALL).or_else(|| find(TOOL))
}

fn name(class: i32) -> &'static str {
    Class::ALL.iter().find(|(known, ..)| known.0 == class).map_or("MPI_ERR_UNKNOWN", |(_, name, _)| name)
}

/// Classes of the tool interface (MPI 5.0 section 15.3.10).
const TOOL: &[(Class, &str, &str)] = &[
    (Class(1001), "MPI_T_ERR_CANNOT_INIT", "the tool interface cannot be initialised"),
    (Class(1002), "MPI_T_ERR_NOT_ACCESSIBLE", "the tool interface's function is not accessible now"),
    (Class(1003), "MPI_T_ERR_NOT_INITIALIZED", "the tool interface is not initialised"),
    (Class(1004), "MPI_T_ERR_NOT_SUPPORTED", "not supported by the tool interface"),
    (Class(1005), "MPI_T_ERR_MEMORY", "out of memory in the tool interface"),
    (Class(1006), "MPI_T_ERR_INVALID", "invalid use of the tool interface"),
    (Class(1007), "MPI_T_ERR_INVALID_INDEX", "index out of range in the tool interface"),
    (Class(1008), "MPI_T_ERR_INVALID_ITEM", "item index out of range in the tool interface"),
    (Class(1009), "MPI_T_ERR_INVALID_SESSION", "invalid performance session"),
    (Class(1010), "MPI_T_ERR_INVALID_HANDLE", "invalid handle of the tool interface"),
    (Class(1011), "MPI_T_ERR_INVALID_NAME", "name unknown to the tool interface"),
    (Class(1012), "MPI_T_ERR_OUT_OF_HANDLES", "no more handles of the tool interface"),
    (Class(1013), "MPI_T_ERR_OUT_OF_SESSIONS", "no more performance sessions"),
    (Class(1014), "MPI_T_ERR_CVAR_SET_NOT_NOW", "the control variable cannot be set now"),
    (Class(1015), "MPI_T_ERR_CVAR_SET_NEVER", "the control variable cannot be set"),
    (Class(1016), "MPI_T_ERR_PVAR_NO_WRITE", "the performance variable cannot be written"),
    (Class(1017), "MPI_T_ERR_PVAR_NO_STARTSTOP", "the performance variable cannot be started or stopped"),
    (Class(1018), "MPI_T_ERR_PVAR_NO_ATOMIC", "the performance variable cannot be read and written at once"),
];

/// Cut at a character so that the closing NUL still fits.
fn truncated(mut text: String) -> String {
    let mut end = text.len().min(MAX_ERROR_STRING - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests;
