use super::*;

fn error(class: Class, text: &str) -> Error {
    Error::new(class, text)
}

#[test]
fn a_code_keeps_class_and_text() {
    let codes = ErrorCodes::new();
    let code = codes.code(&error(Class::RANK, "rank 7 is not in a communicator of 4"));
    assert!(code <= LASTCODE);
    assert_eq!(codes.class_of(code), Some(Class::RANK.0));
    assert_eq!(codes.text_of(code).unwrap(), "MPI_ERR_RANK: rank 7 is not in a communicator of 4");
}

#[test]
fn bare_classes_are_codes() {
    let codes = ErrorCodes::new();
    assert_eq!((codes.class_of(0), codes.text_of(0).as_deref()), (Some(0), Some("no error")));
    for &(class, _, text) in Class::ALL.iter().chain(TOOL) {
        assert_eq!(codes.class_of(class.0), Some(class.0));
        assert_eq!(codes.text_of(class.0).as_deref(), Some(text));
    }
    for number in [-1, i32::MIN, 63, 64 | 63, 16384, i32::MAX] {
        assert_eq!((codes.class_of(number), codes.text_of(number)), (None, None), "{number}");
    }
}

#[test]
fn many_errors_never_touch_the_tool_classes() {
    let codes = ErrorCodes::new();
    let mut seen = std::collections::BTreeMap::new();
    let with_texts = Class::ALL.iter().map(|(class, ..)| *class).filter(|class| ![Class::IN_STATUS, Class::PENDING].contains(class));
    for (i, class) in with_texts.cycle().enumerate().take(1000) {
        let text = format!("error number {i}");
        let code = codes.code(&error(class, &text));
        assert!((1..=LASTCODE).contains(&code) && !(960..1024).contains(&code), "{code}");
        assert_eq!(codes.class_of(code), Some(class.0));
        assert!(codes.text_of(code).unwrap().ends_with(&text));
        seen.insert(code, text);
    }
    // The latest 250 still have their own texts.
    let own = seen.iter().filter(|(code, text)| codes.text_of(**code).unwrap().ends_with(*text)).count();
    assert!(own >= 250, "{own}");
}

#[test]
fn a_code_of_the_program_stays() {
    let codes = ErrorCodes::new();
    let class = codes.add_class().unwrap();
    let code = codes.add_code(class).unwrap();
    assert_eq!(codes.code(&error(Class(code), "the copy callback failed")), code);
    // A code that already carries a text of its own, handed on by a callback.
    let inner = codes.code(&error(Class::TAG, "tag 5 is too large"));
    assert_eq!(codes.code(&error(Class(inner), "the delete callback failed")), inner);
}

#[test]
fn added_codes() {
    let codes = ErrorCodes::new();
    let class = codes.add_class().unwrap();
    assert_eq!(class, LASTCODE + 1);
    let code = codes.add_code(class).unwrap();
    let of_ours = codes.add_code(Class::OTHER.0).unwrap();
    assert_eq!(codes.last_used().load(Ordering::Relaxed), of_ours);
    assert_eq!((codes.class_of(class), codes.class_of(code)), (Some(class), Some(class)));
    assert_eq!(codes.class_of(of_ours), Some(Class::OTHER.0));
    assert_eq!(codes.text_of(code).as_deref(), Some(""));
    codes.add_text(code, b"out of cheese").unwrap();
    codes.add_text(class, b"supplies").unwrap();
    assert_eq!(codes.text_of(code).as_deref(), Some("out of cheese"));
    assert_eq!(codes.text_of(class).as_deref(), Some("supplies"));
    assert!(codes.add_code(code).is_err(), "a code is no class");
    assert!(codes.add_code(63).is_err());
    assert!(codes.add_text(Class::RANK.0, b"mine").is_err());
    assert!(codes.add_text(code, &[b'x'; MAX_ERROR_STRING]).is_err());
}

#[test]
fn removal_goes_from_string_to_code_to_class() {
    let codes = ErrorCodes::new();
    let class = codes.add_class().unwrap();
    let code = codes.add_code(class).unwrap();
    codes.add_text(code, b"text").unwrap();
    assert!(codes.remove_class(class).unwrap_err().text.contains("still has error code"));
    assert!(codes.remove_code(code).unwrap_err().text.contains("still has an error string"));
    assert!(codes.remove_code(class).is_err());
    codes.remove_text(code).unwrap();
    assert!(codes.remove_text(code).is_err());
    assert!(codes.remove_class(code).is_err());
    codes.remove_code(code).unwrap();
    codes.remove_class(class).unwrap();
    assert!(codes.remove_class(class).is_err(), "removed twice");
    assert_eq!(codes.class_of(code), None);
    assert!(codes.add_class().unwrap() > code, "numbers are not used again");
}

#[test]
fn long_texts_are_cut_between_characters() {
    let codes = ErrorCodes::new();
    let code = codes.code(&error(Class::OTHER, &"ü".repeat(400)));
    let text = codes.text_of(code).unwrap();
    assert!(text.len() < MAX_ERROR_STRING && text.len() > MAX_ERROR_STRING - 4);
}

#[test]
fn classes_that_programs_compare_with_are_returned_as_they_are() {
    let codes = ErrorCodes::new();
    for class in [Class::IN_STATUS, Class::PENDING] {
        assert_eq!(codes.code(&error(class, "message truncated")), class.0);
    }
}
