//! What callgrind writes: cost lines below the functions and files that they belong to.
//! The format: <https://valgrind.org/docs/manual/cl-format.html>.

use std::collections::HashMap;

/// The instructions of all places for which `counts(file, function)` is true. What was inlined counts for the file that it
/// was written in.
pub fn sum(text: &str, counts: impl Fn(&str, &str) -> bool) -> u64 {
    let (mut files, mut functions) = (Names::default(), Names::default());
    let (mut file, mut function) = (String::new(), String::new());
    let mut total = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.split_once('=') {
            Some(("fl" | "fi" | "fe", name)) => file = files.full(name),
            Some(("fn", name)) => function = functions.full(name),
            // Only for their numbers, which later lines use.
            Some(("cfi" | "cfl", name)) => drop(files.full(name)),
            Some(("cfn", name)) => drop(functions.full(name)),
            // The next line is what the call took with all that it called: counted where it was spent.
            Some(("calls", _)) => drop(lines.next()),
            Some(_) => {}
            None => {
                let mut words = line.split(' ');
                let is_position = words.next().is_some_and(|word| word.starts_with(|c: char| "+-*".contains(c) || c.is_ascii_digit()));
                if is_position && counts(&file, &function) {
                    total += words.next().and_then(|cost| cost.parse::<u64>().ok()).unwrap_or(0);
                }
            }
        }
    }
    total
}

/// A name is written out once, with a number: `(7) name`; later `(7)` is enough.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn full(&mut self, text: &str) -> String {
        let Some((number, name)) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
            return text.to_owned();
        };
        match name.trim_start() {
            "" => self.0.get(number).cloned().unwrap_or_default(),
            name => {
                self.0.insert(number.to_owned(), name.to_owned());
                name.to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version: 1\npositions: line\nevents: Ir\nsummary: 1000\n\nob=(1) program\nfl=(1) a.rs\nfn=(1) one\n16 5\n\
                        fi=(2) b.rs\n+2 7\nfe=(1)\ncfi=(3) c.rs\ncfn=(2) two\ncalls=1 50\n* 400\n-3 1\n\nfl=(3)\nfn=(2)\n51 100\n";

    #[test]
    fn costs_belong_to_the_file_they_were_written_in() {
        assert_eq!(sum(TEXT, |_, _| true), 113);
        assert_eq!(sum(TEXT, |file, _| file == "a.rs"), 6);
        assert_eq!(sum(TEXT, |file, _| file == "b.rs"), 7);
        assert_eq!(sum(TEXT, |_, function| function == "two"), 100);
    }
}
