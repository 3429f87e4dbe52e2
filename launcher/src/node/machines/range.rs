//! Many names in one: `n[001-128]`, `n[1,3-5]`, `rack[1-2]-n[01-16]`.

use std::fmt::Write as _;

/// More than a cluster has: a digit too many shall not fill the memory.
pub const NAMES_MAX: u64 = 65_536;

/// The names that a pattern stands for, in order; numbers of a later bracket change faster.
pub fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some(at) = rest.find(['[', ']']) {
        let (before, bracket) = rest.split_at(at);
        let inside = bracket.strip_prefix('[').ok_or_else(|| format!("{pattern:?} has a ] without a [ before it"))?;
        let end = inside.find(['[', ']']).filter(|end| inside[*end..].starts_with(']'));
        let end = end.ok_or_else(|| format!("{pattern:?} has a [ without a ] after it"))?;
        let numbers = numbers(&inside[..end], names.len() as u64).map_err(|why| format!("{pattern:?}: {why}"))?;
        let longer = |name: &String| numbers.iter().map(|number| format!("{name}{before}{number}")).collect::<Vec<_>>();
        names = names.iter().flat_map(longer).collect();
        rest = &inside[end + 1..];
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

/// The numbers of one bracket, as they are written. `times` names are there already.
fn numbers(list: &str, times: u64) -> Result<Vec<String>, String> {
    let mut numbers = Vec::new();
    for item in list.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (low, high) = (number(first, item)?, number(last, item)?);
        if low > high {
            return Err(format!("the range {item} ends before it begins"));
        }
        let is_padded = |digits: &str| digits.len() > 1 && digits.starts_with('0');
        if first.len() != last.len() && (is_padded(first) || is_padded(last)) {
            return Err(format!("the range {item} begins with {} digits and ends with {}", first.len(), last.len()));
        }
        let width = if is_padded(first) { first.len() } else { 0 };
        if times.saturating_mul(numbers.len() as u64 + (high - low) + 1) > NAMES_MAX {
            return Err(format!("these are more than {NAMES_MAX} names"));
        }
        numbers.extend((low..=high).map(|number| format!("{number:0width$}")));
    }
    Ok(numbers)
}

fn number(digits: &str, item: &str) -> Result<u64, String> {
    let is_short = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_short { digits.parse().ok() } else { None };
    number.ok_or_else(|| match item {
        "" => "expected a number or a range like 1-4 in the brackets, found nothing".into(),
        _ => format!("expected a number or a range like 1-4 in the brackets, found {item:?}"),
    })
}

/// Parts between commas, those inside brackets aside.
pub fn split_list(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let is_separator = |letter: char| {
        depth += i32::from(letter == '[') - i32::from(letter == ']');
        letter == ',' && depth <= 0
    };
    text.split(is_separator).collect()
}

/// A name in three: what is before its last number, that number, what is behind it.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let end = name.rfind(|letter: char| letter.is_ascii_digit())? + 1;
    let start = name[..end].rfind(|letter: char| !letter.is_ascii_digit()).map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
    (end - start <= 12).then(|| (&name[..start], &name[start..end], &name[end..]))
}

/// Names in short, in the same order: what [`expand`] makes them of, separated by commas.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    let mut names = names.into_iter().peekable();
    while let Some(name) = names.next() {
        if !text.is_empty() {
            text += ",";
        }
        let Some((before, first, behind)) = parts(name) else {
            text += name;
            continue;
        };
        // As (first, last) of each run of numbers.
        let mut runs = vec![(first, first)];
        while let Some((_, digits, _)) = names.peek().and_then(|next| parts(next)).filter(|next| (next.0, next.2) == (before, behind)) {
            let (from, to) = *runs.last().unwrap_or(&(first, first));
            let is_next = digits.parse::<u64>().ok() == to.parse::<u64>().ok().map(|number| number + 1);
            let is_alike = digits.len() == from.len() || !(digits.starts_with('0') || from.starts_with('0'));
            match runs.last_mut() {
                Some(run) if is_next && is_alike => run.1 = digits,
                _ => runs.push((digits, digits)),
            }
            names.next();
        }
        if let [(first, last)] = runs[..]
            && first == last
        {
            text += name;
            continue;
        }
        let runs: Vec<_> = runs.iter().map(|(first, last)| if first == last { (*first).to_owned() } else { format!("{first}-{last}") }).collect();
        let _ = write!(text, "{before}[{}]{behind}", runs.join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("n1", "n1")]
    #[case("n[1-3]", "n1 n2 n3")]
    #[case("n[001-003]x", "n001x n002x n003x")]
    #[case("n[9-11]", "n9 n10 n11")]
    #[case("n[1,3-5]", "n1 n3 n4 n5")]
    #[case("r[1-2]n[08-09]", "r1n08 r1n09 r2n08 r2n09")]
    #[case("10.0.0.[254-256]", "10.0.0.254 10.0.0.255 10.0.0.256")]
    #[case("n[7]", "n7")]
    #[case("n[0-1]", "n0 n1")]
    fn patterns(#[case] pattern: &str, #[case] expected: &str) {
        assert_eq!(expand(pattern).unwrap().join(" "), expected);
    }

    #[rstest]
    #[case("n[1-3", r#""n[1-3" has a [ without a ] after it"#)]
    #[case("n[1[2]]", r#""n[1[2]]" has a [ without a ] after it"#)]
    #[case("n1-3]", r#""n1-3]" has a ] without a [ before it"#)]
    #[case("n[]", r#""n[]": expected a number or a range like 1-4 in the brackets, found nothing"#)]
    #[case("n[a-c]", r#""n[a-c]": expected a number or a range like 1-4 in the brackets, found "a-c""#)]
    #[case("n[1-2-3]", r#""n[1-2-3]": expected a number or a range like 1-4 in the brackets, found "1-2-3""#)]
    #[case("n[1,]", r#""n[1,]": expected a number or a range like 1-4 in the brackets, found nothing"#)]
    #[case("n[+1-2]", r#""n[+1-2]": expected a number or a range like 1-4 in the brackets, found "+1-2""#)]
    #[case("n[5-1]", r#""n[5-1]": the range 5-1 ends before it begins"#)]
    #[case("n[01-128]", r#""n[01-128]": the range 01-128 begins with 2 digits and ends with 3"#)]
    #[case("n[1-99999999999]", r#""n[1-99999999999]": these are more than 65536 names"#)]
    #[case("n[1-999][1-999]", r#""n[1-999][1-999]": these are more than 65536 names"#)]
    fn what_is_wrong_is_said(#[case] pattern: &str, #[case] expected: &str) {
        assert_eq!(expand(pattern).unwrap_err(), expected);
    }

    #[rstest]
    #[case("n1 n2 n3", "n[1-3]")]
    #[case("n098 n099 n100 n102 x", "n[098-100,102],x")]
    #[case("a b c", "a,b,c")]
    #[case("n9 n10 n010 n011", "n[9-10,010-011]")]
    #[case("n1.a n2.a n3.b", "n[1-2].a,n3.b")]
    #[case("n2 n1 n2", "n[2,1-2]")]
    #[case("é1 é2", "é[1-2]")]
    fn names_in_short(#[case] names: &str, #[case] expected: &str) {
        assert_eq!(fold(names.split(' ')), expected);
    }

    #[test]
    fn commas_in_brackets_do_not_separate() {
        assert_eq!(split_list("a:2,n[1,3-5]:4,b"), ["a:2", "n[1,3-5]:4", "b"]);
        assert_eq!(split_list("a],b"), ["a]", "b"]);
        assert_eq!(split_list(""), [""]);
    }

    proptest! {
        #[test]
        fn a_range_has_all_its_numbers(low in 0_u64..2000, more in 0_u64..300, width in 1_usize..6, before in "[a-z.-]{0,5}", behind in "[a-z.-]{0,5}") {
            let high = low + more;
            let width = width.max(high.to_string().len());
            let names = expand(&format!("{before}[{low:0width$}-{high:0width$}]{behind}")).unwrap();
            prop_assert_eq!(names.len() as u64, more + 1);
            for (number, name) in (low..).zip(&names) {
                prop_assert_eq!(name, &format!("{before}{number:0width$}{behind}"));
            }
        }

        #[test]
        fn names_in_short_stand_for_the_same_names(names in prop::collection::vec("[ab]{0,1}[0-9]{1,3}(\\.c)?|[a-c]{1,2}", 1..30)) {
            let short = fold(names.iter().map(String::as_str));
            let again: Vec<String> = split_list(&short).into_iter().flat_map(|pattern| expand(pattern).unwrap()).collect();
            prop_assert_eq!(again, names, "{}", short);
        }

        #[test]
        fn nothing_makes_it_panic(pattern in "[a0-9\\[\\],-]{0,20}|.{0,20}") {
            let _ = expand(&pattern);
            let _ = fold([pattern.as_str()]);
            let _ = split_list(&pattern);
        }
    }
}
