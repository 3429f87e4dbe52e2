//! The status line of this rank: in the launcher's memory, or its own where there is no launcher.

use crate::foreign::Manager;
use hpvm_wire::{Board, StatusLine};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

/// Where the rank writes what it is doing.
pub struct Line {
    /// In `_memory`, found once: every call writes there.
    status: NonNull<StatusLine>,
    _memory: Memory,
    watcher: Option<Watcher>,
    /// Another MPI's launcher, which sees no status lines.
    manager: Option<Box<dyn Manager>>,
}

enum Memory {
    Board { _board: Board },
    Own { _line: Arc<StatusLine> },
}

/// Somebody who is told of every call before it runs: a simulator, which schedules ranks there.
pub type Watcher = Box<dyn Fn() + Send + Sync>;

// SAFETY: `status` points to atomics that live as long as `_memory`.
unsafe impl Send for Line {}
// SAFETY: as above.
unsafe impl Sync for Line {}

impl Line {
    /// Line `rank` of the job's board.
    ///
    /// # Panics
    /// When the board has no such line.
    pub fn of_board(board: Board, rank: usize) -> Line {
        Line { status: NonNull::from(&board[rank]), _memory: Memory::Board { _board: board }, watcher: None, manager: None }
    }

    /// A line that nobody else reads.
    pub fn own() -> Line {
        let line = Arc::new(StatusLine::default());
        Line { status: NonNull::from(&*line), _memory: Memory::Own { _line: line }, watcher: None, manager: None }
    }

    /// A line of its own with a watcher.
    pub fn watched(watcher: Watcher) -> Line {
        Line { watcher: Some(watcher), ..Line::own() }
    }

    /// A line of its own, of a rank that another MPI's launcher has started.
    pub fn under(manager: Box<dyn Manager>) -> Line {
        Line { manager: Some(manager), ..Line::own() }
    }

    /// The launcher, if it is another MPI's.
    pub fn manager(&self) -> Option<&dyn Manager> {
        self.manager.as_deref()
    }

    /// A call begins.
    #[inline]
    pub fn enter(&self, call: u16) {
        StatusLine::enter(self, call);
        if let Some(watcher) = &self.watcher {
            watcher();
        }
    }
}

impl Deref for Line {
    type Target = StatusLine;

    #[inline]
    fn deref(&self) -> &StatusLine {
        // SAFETY: it lies in `_memory`: in a mapping, or behind an `Arc`, neither of which moves with `self`.
        unsafe { self.status.as_ref() }
    }
}
