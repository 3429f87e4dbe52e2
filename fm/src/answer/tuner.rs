//! How long a pause is to be.
//!
//! What counts is how long answers take. They are timed by blocks, each with a pause of another length, several times over; the best one is
//! used for a while if it is better than none, before all are tried again: for longer and longer as long as the choice is the same.

/// Answers in a block.
const BLOCK: u32 = 64;

/// Pauses are multiples of so many ticks.
const STEP: u32 = 64;
/// So many are tried, of which the first is none.
const PAUSES: usize = 13;
/// As often as that: what interrupts a block makes it longer.
const PASSES: u32 = 3;

/// Where answers take more ticks on average without a pause, a pause is no matter.
const SOON: u64 = 4096;

/// Blocks for which a choice is kept, the first time and at most.
const KEPT_MIN: u32 = 64;
const KEPT_MAX: u32 = 1 << 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Search {
    /// The next block is timed with the pause of this number, in this pass.
    Trying { pass: u32, number: usize },
    /// A choice is kept for so many blocks.
    Kept { left: u32 },
}

#[derive(Debug)]
pub struct Tuner {
    search: Search,
    /// By which pauses are numbered.
    choice: usize,
    /// Of the block under way: its answers, and when the first message left.
    answers: u32,
    since: u64,
    /// The shortest block with each pause, in ticks.
    best: [u64; PAUSES],
    keep: u32,
}

impl Tuner {
    pub fn new() -> Tuner {
        Tuner {
            search: Search::Trying { pass: 0, number: 0 },
            choice: 0,
            answers: 0,
            since: 0,
            best: [u64::MAX; PAUSES],
            keep: KEPT_MIN,
        }
    }

    /// Ticks from the message to the first look.
    #[inline]
    pub fn pause(&self) -> u32 {
        let number = match self.search {
            Search::Trying { number, .. } => number,
            Search::Kept { .. } => self.choice,
        };
        number as u32 * STEP
    }

    /// There is an answer to the message that left at `sent`.
    #[inline]
    pub fn answered(&mut self, sent: u64) {
        if self.answers == 0 {
            self.since = sent;
        }
        self.answers += 1;
        if self.answers == BLOCK {
            self.answers = 0;
            self.end_block(sent.wrapping_sub(self.since));
        }
    }

    #[cold]
    fn end_block(&mut self, took: u64) {
        match self.search {
            Search::Kept { left: 0 } => {
                self.best = [u64::MAX; PAUSES];
                self.search = Search::Trying { pass: 0, number: 0 };
            }
            Search::Kept { left } => self.search = Search::Kept { left: left - 1 },
            Search::Trying { number: 0, .. } if took > SOON * u64::from(BLOCK) => {
                self.keep = KEPT_MIN;
                self.choice = 0;
                self.search = Search::Kept { left: self.keep };
            }
            Search::Trying { pass, number } => {
                self.best[number] = self.best[number].min(took);
                if number + 1 < PAUSES {
                    self.search = Search::Trying { pass, number: number + 1 };
                } else if pass + 1 < PASSES {
                    self.search = Search::Trying { pass: pass + 1, number: 0 };
                } else {
                    self.choose(self.quickest());
                }
            }
        }
    }

    /// The pause with the shortest blocks, if it is worth its while.
    fn quickest(&self) -> usize {
        let number = (0..PAUSES).min_by_key(|&number| self.best[number]).unwrap_or(0);
        let gains = self.best[number] < self.best[0] - self.best[0] / 32;
        if gains { number } else { 0 }
    }

    fn choose(&mut self, choice: usize) {
        // The one beside it is nearly as good: which of them is better is a matter of chance.
        let same = self.choice.abs_diff(choice) <= 1;
        self.keep = if same { (2 * self.keep).min(KEPT_MAX) } else { KEPT_MIN };
        self.choice = choice;
        self.search = Search::Kept { left: self.keep };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many ticks an answer takes after a pause of so many.
    type Model = fn(u64) -> u64;

    /// The usual way: too early a look costs a way of a line, too long a pause as much as it is too long.
    fn ping_pong(pause: u64) -> u64 {
        if pause < 300 { 900 + pause / 8 } else { 600 + (pause - 300) / 2 }
    }

    /// The pauses that were used for the last of so many answers.
    fn pauses(model: Model, answers: u32) -> Vec<u32> {
        let mut tuner = Tuner::new();
        let mut now = 0;
        let mut pauses = Vec::new();
        for _ in 0..answers {
            pauses.push(tuner.pause());
            tuner.answered(now);
            now += model(u64::from(tuner.pause()));
        }
        pauses.split_off(answers as usize / 2)
    }

    /// The pause that is used most.
    fn usual(pauses: &[u32]) -> u32 {
        let times = |pause: &u32| pauses.iter().filter(|&other| other == pause).count();
        *pauses.iter().max_by_key(|&pause| times(pause)).unwrap()
    }

    #[test]
    fn the_pause_is_the_shortest_that_is_not_too_short() {
        let pauses = pauses(ping_pong, 200_000);
        assert_eq!(usual(&pauses), 320);
        let others = pauses.iter().filter(|&&pause| pause != 320).count();
        assert!(others * 10 < pauses.len(), "others are tried less and less often: {others} of {}", pauses.len());
    }

    #[test]
    fn where_a_pause_is_no_gain_there_is_none() {
        for model in [|pause: u64| pause.max(500), |_| 50_000, |pause| 700 + pause] {
            assert_eq!(usual(&pauses(model, 100_000)), 0);
        }
    }

    #[test]
    fn slow_answers_are_left_alone() {
        assert!(pauses(|_| 10_000, 10_000).iter().all(|pause| *pause == 0));
    }
}
