//! Who holds the node's contexts.

use std::collections::BTreeMap;

/// The contexts of a node, by number, with the users who hold them.
#[derive(Debug)]
pub struct Contexts {
    most: u32,
    held: BTreeMap<u32, u32>,
}

impl Contexts {
    pub fn new(most: u32) -> Self {
        Self { most, held: BTreeMap::new() }
    }

    /// The lowest number that nobody has.
    pub fn take(&mut self, uid: u32) -> Option<u32> {
        let free = (0..self.most).find(|number| !self.held.contains_key(number))?;
        self.held.insert(free, uid);
        Some(free)
    }

    pub fn give_back(&mut self, number: u32) {
        self.held.remove(&number);
    }

    /// Why this user gets none. Who the others are is not told.
    pub fn refusal(&self, uid: u32, user: &str) -> String {
        let own = self.held.values().filter(|holder| **holder == uid).count();
        let (most, s) = (self.most, if self.most == 1 { "" } else { "s" });
        format!(
            "there is no context left for {user}: all {most} context{s} of this machine are taken, {own} by {user} and {} by other users; one is \
             free when a job ends (contexts in hpvmd.toml says how many there are)",
            self.held.len() - own
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_refused_and_one_that_is_given_back_is_free() {
        let mut contexts = Contexts::new(3);
        let taken: Vec<_> = [7, 8, 7, 8].map(|uid| contexts.take(uid)).into();
        assert_eq!(taken, [Some(0), Some(1), Some(2), None]);
        let why = contexts.refusal(7, "ann");
        assert!(why.contains("left for ann: all 3 contexts") && why.contains("2 by ann and 1 by other users"), "{why}");
        contexts.give_back(1);
        assert_eq!((contexts.take(9), contexts.take(9)), (Some(1), None));
    }
}
