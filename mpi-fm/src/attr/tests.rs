use super::keyval::{CopyCall, DeleteCall};
use super::*;
use std::sync::Arc;

const OBJECT: Object = Object(0x1000);
const DUPLICATE: Object = Object(0x2000);

/// What callbacks were called with.
type Log = Arc<Mutex<Vec<(&'static str, usize, usize)>>>;

struct Fixture {
    keyvals: Keyvals,
    log: Log,
    /// While not 0, delete callbacks fail with it.
    failure: Arc<Mutex<i32>>,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { keyvals: Keyvals::new(), log: Log::default(), failure: Arc::default() }
    }

    fn deleting(&self) -> DeleteCall {
        let (log, failure) = (self.log.clone(), self.failure.clone());
        Box::new(move |object, _, value| {
            log.lock().push(("delete", object.0, value.0));
            match *failure.lock() {
                0 => Ok(()),
                code => Err(Failed(code)),
            }
        })
    }

    fn key(&self, copying: Copying) -> Arc<Keyval> {
        let number = self.keyvals.create(Kind::Comm, copying, Some(self.deleting())).unwrap();
        self.keyvals.get(Kind::Comm, number).unwrap()
    }

    fn copying(&self, copy: fn(usize) -> std::result::Result<Option<usize>, i32>) -> Copying {
        let log = self.log.clone();
        let call: CopyCall = Box::new(move |object, _, value| {
            log.lock().push(("copy", object.0, value.0));
            copy(value.0).map(|value| value.map(Value)).map_err(Failed)
        });
        Copying::Call(call)
    }

    fn log(&self) -> Vec<(&'static str, usize, usize)> {
        std::mem::take(&mut self.log.lock())
    }
}

#[test]
fn set_get_delete() {
    let f = Fixture::new();
    let (key, attributes) = (f.key(Copying::Never), Attributes::new());
    assert_eq!(attributes.get(&key), None);
    attributes.set(OBJECT, key.clone(), Value(1)).unwrap();
    assert_eq!(attributes.get(&key), Some(Value(1)));
    assert_eq!(f.log(), []);
    attributes.set(OBJECT, key.clone(), Value(2)).unwrap();
    assert_eq!(f.log(), [("delete", OBJECT.0, 1)]);
    attributes.delete(OBJECT, &key).unwrap();
    assert_eq!(f.log(), [("delete", OBJECT.0, 2)]);
    assert_eq!(attributes.get(&key), None);
    attributes.delete(OBJECT, &key).unwrap();
    assert_eq!(f.log(), []);
}

#[test]
fn an_object_loses_its_attributes_in_reverse_order() {
    let f = Fixture::new();
    let keys: Vec<_> = (0..4).map(|_| f.key(Copying::Never)).collect();
    let attributes = Attributes::new();
    for i in [2, 0, 3, 1, 0] {
        attributes.set(OBJECT, keys[i].clone(), Value(i)).unwrap();
    }
    f.log();
    attributes.clear(OBJECT).unwrap();
    let order: Vec<usize> = f.log().iter().map(|entry| entry.2).collect();
    assert_eq!(order, [0, 1, 3, 2]);
}

#[test]
fn a_failing_delete_leaves_everything_in_place() {
    let f = Fixture::new();
    let keys: Vec<_> = (0..3).map(|_| f.key(Copying::Never)).collect();
    let attributes = Attributes::new();
    for (i, key) in keys.iter().enumerate() {
        attributes.set(OBJECT, key.clone(), Value(i)).unwrap();
    }
    *f.failure.lock() = 20_000;
    let failures = [
        attributes.set(OBJECT, keys[1].clone(), Value(9)),
        attributes.delete(OBJECT, &keys[1]),
        attributes.clear(OBJECT),
    ];
    for failure in failures {
        let error = failure.unwrap_err();
        assert_eq!(error.class, Class(20_000));
        assert!(error.text.contains("delete callback") && error.text.contains("20000"), "{}", error.text);
    }
    *f.failure.lock() = 0;
    f.log();
    attributes.clear(OBJECT).unwrap();
    assert_eq!(f.log().iter().map(|entry| entry.2).collect::<Vec<_>>(), [2, 1, 0]);
}

#[test]
fn duplication() {
    let f = Fixture::new();
    let never = f.key(Copying::Never);
    let same = f.key(Copying::Same);
    let plus_ten = f.key(f.copying(|value| Ok(Some(value + 10))));
    let refuses = f.key(f.copying(|_| Ok(None)));
    let attributes = Attributes::new();
    for (i, key) in [&never, &same, &plus_ten, &refuses].into_iter().enumerate() {
        attributes.set(OBJECT, key.clone(), Value(i)).unwrap();
    }
    let copies = Attributes::new();
    attributes.copy_to(OBJECT, &copies, DUPLICATE).unwrap();
    let values = [&never, &same, &plus_ten, &refuses].map(|key| copies.get(key));
    assert_eq!(values, [None, Some(Value(1)), Some(Value(12)), None]);
    assert_eq!(f.log(), [("copy", OBJECT.0, 2), ("copy", OBJECT.0, 3)]);
    copies.clear(DUPLICATE).unwrap();
    assert_eq!(f.log(), [("delete", DUPLICATE.0, 12), ("delete", DUPLICATE.0, 1)]);
    assert_eq!(attributes.get(&plus_ten), Some(Value(2)));
}

#[test]
fn a_failing_copy_undoes_the_others() {
    let f = Fixture::new();
    let (same, fails) = (f.key(Copying::Same), f.key(f.copying(|_| Err(77))));
    let attributes = Attributes::new();
    attributes.set(OBJECT, same, Value(1)).unwrap();
    attributes.set(OBJECT, fails, Value(2)).unwrap();
    let copies = Attributes::new();
    assert_eq!(attributes.copy_to(OBJECT, &copies, DUPLICATE).unwrap_err().class, Class(77));
    assert_eq!(f.log(), [("copy", OBJECT.0, 2), ("delete", DUPLICATE.0, 1)]);
}

#[test]
fn a_freed_key_lives_as_long_as_its_attributes() {
    let f = Fixture::new();
    let key = f.key(Copying::Same);
    let number = key.number;
    let attributes = Attributes::new();
    attributes.set(OBJECT, key, Value(5)).unwrap();
    f.keyvals.free(Kind::Comm, number).unwrap();
    f.keyvals.free(Kind::Comm, number).unwrap();
    let copies = Attributes::new();
    attributes.copy_to(OBJECT, &copies, DUPLICATE).unwrap();
    attributes.clear(OBJECT).unwrap();
    let key = f.keyvals.get(Kind::Comm, number).unwrap();
    copies.delete(DUPLICATE, &key).unwrap();
    assert_eq!(f.log(), [("delete", OBJECT.0, 5), ("delete", DUPLICATE.0, 5)]);
    drop(key);
    assert_eq!(f.keyvals.get(Kind::Comm, number).err().unwrap().class, Class::KEYVAL);
    assert_eq!(f.keyvals.free(Kind::Comm, number).unwrap_err().class, Class::KEYVAL);
}

#[test]
fn a_callback_may_delete_its_own_attribute() {
    let attributes = Arc::new(Attributes::new());
    let keyvals = Arc::new(Keyvals::new());
    let calls = Arc::new(Mutex::new(0));
    let (inner, keys, count) = (attributes.clone(), keyvals.clone(), calls.clone());
    let delete: DeleteCall = Box::new(move |object, number, _| {
        *count.lock() += 1;
        keys.free(Kind::Comm, number).unwrap();
        inner.delete(object, &keys.get(Kind::Comm, number).unwrap()).map_err(|_| Failed(1))
    });
    let number = keyvals.create(Kind::Comm, Copying::Never, Some(delete)).unwrap();
    attributes.set(OBJECT, keyvals.get(Kind::Comm, number).unwrap(), Value(1)).unwrap();
    attributes.clear(OBJECT).unwrap();
    assert_eq!(*calls.lock(), 1);
}

#[test]
fn wrong_keys() {
    let keyvals = Keyvals::new();
    let number = keyvals.create(Kind::Type, Copying::Never, None).unwrap();
    let text = |number| keyvals.get(Kind::Comm, number).err().unwrap().text.clone();
    assert_eq!(text(number), format!("attribute key {number} is not for communicators"));
    assert_eq!(text(0), "0 is no attribute key (MPI_KEYVAL_INVALID)");
    assert_eq!(text(501), "MPI_TAG_UB is a predefined attribute: it cannot be set, deleted or freed");
    assert_eq!(text(i32::MIN), "-2147483648 is no attribute key");
    assert_eq!(keyvals.get(Kind::Comm, 12345).err().unwrap().class, Class::KEYVAL);
}

#[test]
fn freed_keys_are_forgotten() {
    let keyvals = Keyvals::new();
    let first = keyvals.create(Kind::Comm, Copying::Never, None).unwrap();
    for _ in 0..100_000 {
        let number = keyvals.create(Kind::Comm, Copying::Never, None).unwrap();
        keyvals.free(Kind::Comm, number).unwrap();
    }
    assert!(keyvals.get(Kind::Comm, first).is_ok());
    assert!(keyvals.len() < 1000, "{}", keyvals.len());
}

#[test]
fn predefined_values() {
    let last_used = 7;
    let predefined = Predefined::new(99, true, None, Some(4));
    let read = |keyval| {
        predefined.get(keyval, &last_used).expect("a predefined key").map(|Value(address)| {
            // SAFETY: the address of an integer in `predefined` or of `last_used`.
            unsafe { *(address as *const i32) }
        })
    };
    assert_eq!(read(predefined::TAG_UB), Some(99));
    assert_eq!(read(predefined::IO), Some(crate::constants::ANY_SOURCE));
    assert_eq!(read(predefined::HOST), Some(crate::constants::PROC_NULL));
    assert_eq!(read(predefined::WTIME_IS_GLOBAL), Some(1));
    assert_eq!(read(predefined::APPNUM), None);
    assert_eq!(read(predefined::LASTUSEDCODE), Some(7));
    assert_eq!(read(predefined::UNIVERSE_SIZE), Some(4));
    assert_eq!(predefined.get(601, &last_used), None);
}
