//! The status line of this rank: in the launcher's memory, or its own where there is no launcher.

use hpvm_wire::{Board, StatusLine};
use std::ops::Deref;

/// Where the rank writes what it is doing.
pub enum Line {
    /// Line `rank` of the job's board.
    Board { board: Board, rank: usize },
    Own(Box<StatusLine>),
}

impl Line {
    /// A line that nobody else reads.
    pub fn own() -> Line {
        Line::Own(Box::default())
    }
}

impl Deref for Line {
    type Target = StatusLine;

    #[inline]
    fn deref(&self) -> &StatusLine {
        match self {
            Line::Board { board, rank } => &board[*rank],
            Line::Own(line) => line,
        }
    }
}
