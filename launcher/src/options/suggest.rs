//! What to say about an option that does not exist.

use super::table::{self, FLAGS, FOREIGN};

/// The error text for an unknown option, with the nearest real one if there is a near one.
pub fn unknown(typed: &str) -> String {
    let bare = table::bare(typed);
    if let Some((_, hint)) = FOREIGN.iter().find(|(name, _)| *name == bare) {
        return format!("unknown option {typed}: {hint}");
    }
    let count = bare.strip_prefix("np").or_else(|| bare.strip_prefix('n')).filter(|rest| !rest.is_empty());
    if let Some(count) = count.filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return format!("unknown option {typed}: did you mean -n {count}?");
    }
    let names = FLAGS.iter().flat_map(|flag| flag.names);
    match nearest(bare, names.copied()) {
        Some(name) => format!("unknown option {typed}: did you mean {name}?"),
        None => format!("unknown option {typed}: --help lists those there are"),
    }
}

/// The name that differs least, if it differs by no more than a third.
pub fn nearest<'a>(bare: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, name) = names.map(|name| (distance(bare, table::bare(name)), name)).min_by_key(|found| found.0)?;
    (distance <= bare.len() / 3).then_some(name)
}

/// Levenshtein's distance: insertions, deletions and changes that make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("timeout", "timeuot", 2)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn far_words_get_no_suggestion() {
        assert!(unknown("--frobnicate").contains("--help"));
        assert!(unknown("--timout").contains("--timeout?"));
        assert!(unknown("--wdirr").contains("-wdir?"));
    }
}
