//! What is private to this crate and read from files, for the fuzz target `system`: built with `--cfg fuzzing` only.

/// Whole cores of a control group's `cpu.max`.
pub fn quota(text: &str) -> Option<usize> {
    crate::cores::parse_unified(text)
}
