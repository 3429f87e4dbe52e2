//! The status line of this rank: in the launcher's memory, or its own where there is no launcher.

use hpvm_wire::{Board, StatusLine};
use std::ops::Deref;

/// Where the rank writes what it is doing.
pub enum Line {
    /// Line `rank` of the job's board.
    Board { board: Board, rank: usize },
    Own(Box<StatusLine>),
    /// A line of its own, and somebody who is told of every call before it runs: a simulator, which schedules ranks there.
    Watched(Box<StatusLine>, Box<dyn Fn() + Send + Sync>),
}

impl Line {
    /// A line that nobody else reads.
    pub fn own() -> Line {
        Line::Own(Box::default())
    }

    /// A call begins.
    #[inline]
    pub fn enter(&self, call: u16) {
        self.status().enter(call);
        if let Line::Watched(_, watcher) = self {
            watcher();
        }
    }

    #[inline]
    fn status(&self) -> &StatusLine {
        match self {
            Line::Board { board, rank } => &board[*rank],
            Line::Own(line) | Line::Watched(line, _) => line,
        }
    }
}

impl Deref for Line {
    type Target = StatusLine;

    #[inline]
    fn deref(&self) -> &StatusLine {
        self.status()
    }
}
