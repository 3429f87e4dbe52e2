//! The texts of the latest errors, so that `MPI_Error_string` can say what exactly went wrong.

use super::{CLASS_BITS, LASTCODE};

/// The numbers of texts are 1 to this; 0 stands for a bare class.
const TEXTS: usize = (LASTCODE >> CLASS_BITS) as usize;
/// Codes with this number would fall among the classes of the tool interface (1001 to 1018).
const RESERVED: usize = 1001 >> CLASS_BITS;
const _: () = assert!(RESERVED == 1018 >> CLASS_BITS && RESERVED <= TEXTS);

/// A ring of texts. Grows with the first errors: a program without any keeps nothing.
pub(super) struct Recent {
    texts: Vec<Box<str>>,
    /// Number of the text that was kept last.
    last: usize,
}

impl Recent {
    pub(super) const fn new() -> Recent {
        Recent { texts: Vec::new(), last: 0 }
    }

    /// Keeps a text, at the oldest one's cost, and returns its number.
    pub(super) fn keep(&mut self, text: &str) -> usize {
        self.last = match self.last % TEXTS + 1 {
            RESERVED => RESERVED + 1,
            number => number,
        };
        if self.texts.len() < self.last {
            self.texts.resize(self.last, "".into());
        }
        self.texts[self.last - 1] = text.into();
        self.last
    }

    pub(super) fn text(&self, number: i32) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.texts.get(index).map(|text| &**text).filter(|text| !text.is_empty())
    }
}
