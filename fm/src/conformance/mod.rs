//! What FM promises, as tests that every device must pass.
//!
//! A test is a handful of [`Program`]s, one per node, that check what they receive; a [`Fixture`] runs them over the device
//! under test, in threads, in processes or in virtual time. [`conformance_tests!`](crate::conformance_tests) instantiates them
//! all.

mod programs;
mod support;

use crate::Fm;
pub use programs::*;
use std::sync::atomic::AtomicBool;

/// Makes connected endpoints and runs programs on them.
pub trait Fixture {
    /// Runs each program on an endpoint of its own, all connected with each other, until every one is done. Panics when one
    /// panics, or when they get nowhere.
    fn run(&self, programs: Vec<Box<dyn Program>>);

    /// A flag that all programs see although they may run in different processes.
    fn flag(&self) -> &'static AtomicBool {
        Box::leak(Box::new(AtomicBool::new(false)))
    }
}

/// What one node does.
pub trait Program: Send {
    /// Takes a turn without waiting.
    fn step(&mut self, fm: &Fm) -> Step;
}

/// How a turn went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Something moved.
    Busy,
    /// Nothing to do until something arrives.
    Idle,
    /// The program has checked everything and has nothing left to send.
    Done,
}

/// Instantiates every conformance test for a [`Fixture`]: `conformance_tests!(module, fixture)`.
#[macro_export]
macro_rules! conformance_tests {
    ($module:ident, $fixture:expr) => {
        $crate::conformance_tests!(@ $module, $fixture,
            pieces_of_random_sizes
            a_handler_answers
            a_receiver_that_does_not_extract_blocks_only_its_senders
            floods_in_both_directions_do_not_deadlock
            a_million_messages_in_order
            large_and_small_messages_interleave
            messages_may_end_early
            budgets_are_honoured
        );
    };
    (@ $module:ident, $fixture:expr, $($test:ident)*) => {
        mod $module {
            use super::*;
            $(#[test]
            fn $test() {
                $crate::conformance::$test(&$fixture);
            })*
        }
    };
}
