//! First-in first-out lists by key: the structure under both matching queues.
//!
//! Entries live in one slab and are linked into the buckets of hash tables, so that finding, adding and removing cost the same
//! at any depth, and nothing is allocated once the queue has been as long before.

/// A key of the matching: source rank and tag; a class that ignores one of them has a constant in its place.
pub type Key = (u32, i32);

const NIL: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
}

const UNLINKED: Link = Link { previous: NIL, next: NIL };

struct Entry<T, const N: usize> {
    links: [Link; N],
    keys: [Key; N],
    /// `None` while the entry is free; then `links[0].next` is the next free one.
    value: Option<T>,
}

#[derive(Clone, Copy)]
struct Bucket {
    head: u32,
    tail: u32,
}

const EMPTY: Bucket = Bucket { head: NIL, tail: NIL };

/// One hash table over the entries. Those with the same key are in one bucket, oldest first.
struct Index {
    /// A power of two of them.
    buckets: Box<[Bucket]>,
    len: usize,
}

impl Index {
    #[inline]
    fn bucket(&mut self, key: Key) -> &mut Bucket {
        let at = place(key, self.buckets.len());
        &mut self.buckets[at]
    }
}

/// Which of `buckets` holds what has this key.
#[inline]
fn place(key: Key, buckets: usize) -> usize {
    let mixed = (u64::from(key.0) << 32 | u64::from(key.1 as u32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (buckets - 1)
}

/// Values, each in `N` lists at once: in list `i` under its `i`-th key.
pub struct Lists<T, const N: usize> {
    entries: Vec<Entry<T, N>>,
    free: u32,
    indexes: [Index; N],
}

impl<T, const N: usize> Default for Lists<T, N> {
    fn default() -> Self {
        let index = || Index { buckets: Box::from([EMPTY; 4]), len: 0 };
        Lists { entries: Vec::new(), free: NIL, indexes: std::array::from_fn(|_| index()) }
    }
}

impl<T, const N: usize> Lists<T, N> {
    /// Values held, each counted once.
    pub fn len(&self) -> usize {
        self.indexes.iter().map(|index| index.len).max().unwrap_or(0)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values in list `list`.
    pub fn len_of(&self, list: usize) -> usize {
        self.indexes[list].len
    }

    /// Appends `value` to each list whose place in `keys` holds a key. Returns its number, good until it is removed.
    #[inline]
    pub fn push(&mut self, keys: [Option<Key>; N], value: T) -> u32 {
        let number = if self.free == NIL { self.add() } else { self.free };
        let entry = &mut self.entries[number as usize];
        self.free = entry.links[0].next;
        entry.value = Some(value);
        for (list, key) in keys.into_iter().enumerate() {
            match key {
                Some(key) => {
                    self.entries[number as usize].keys[list] = key;
                    if self.indexes[list].len >= 2 * self.indexes[list].buckets.len() {
                        self.grow(list);
                    }
                    self.indexes[list].len += 1;
                    self.append(list, number, key);
                }
                None => self.entries[number as usize].links[list] = Link { previous: number, next: number },
            }
        }
        number
    }

    /// A new free entry, while there is no other.
    #[cold]
    fn add(&mut self) -> u32 {
        self.entries.push(Entry { links: [UNLINKED; N], keys: [(0, 0); N], value: None });
        (self.entries.len() - 1) as u32
    }

    #[inline]
    fn append(&mut self, list: usize, number: u32, key: Key) {
        let bucket = self.indexes[list].bucket(key);
        let previous = std::mem::replace(&mut bucket.tail, number);
        match previous {
            NIL => bucket.head = number,
            previous => self.entries[previous as usize].links[list].next = number,
        }
        self.entries[number as usize].links[list] = Link { previous, next: NIL };
    }

    /// Doubles the buckets of `list`, which hold two values each. Values of one key share a bucket before and after, so
    /// that moving bucket by bucket keeps their order.
    #[cold]
    fn grow(&mut self, list: usize) {
        let index = &mut self.indexes[list];
        let twice = vec![EMPTY; 2 * index.buckets.len()].into();
        let old = std::mem::replace(&mut index.buckets, twice);
        for bucket in old {
            let mut number = bucket.head;
            while number != NIL {
                let Entry { links, keys, .. } = &self.entries[number as usize];
                let (next, key) = (links[list].next, keys[list]);
                self.append(list, number, key);
                number = next;
            }
        }
    }

    /// The oldest value under `key` in `list`.
    #[inline]
    pub fn first(&self, list: usize, key: Key) -> Option<u32> {
        let index = &self.indexes[list];
        if index.len == 0 {
            return None;
        }
        let mut number = index.buckets[place(key, index.buckets.len())].head;
        while number != NIL {
            let entry = &self.entries[number as usize];
            if entry.keys[list] == key {
                return Some(number);
            }
            number = entry.links[list].next;
        }
        None
    }

    /// Under which key the value with this number stands in `list`.
    pub fn key(&self, number: u32, list: usize) -> Option<Key> {
        let entry = self.entries.get(number as usize)?;
        entry.value.is_some().then_some(entry.keys[list])
    }

    pub fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(number as usize)?.value.as_ref()
    }

    /// Takes the value out of all its lists.
    ///
    /// # Panics
    /// If no value has this number.
    #[inline]
    pub fn remove(&mut self, number: u32) -> T {
        let entry = &mut self.entries[number as usize];
        let value = entry.value.take().expect("a value in the lists");
        for list in 0..N {
            let Entry { links, keys, .. } = &self.entries[number as usize];
            let (Link { previous, next }, key) = (links[list], keys[list]);
            if next == number {
                continue; // not in this list
            }
            match previous {
                NIL => self.indexes[list].bucket(key).head = next,
                previous => self.entries[previous as usize].links[list].next = next,
            }
            match next {
                NIL => self.indexes[list].bucket(key).tail = previous,
                next => self.entries[next as usize].links[list].previous = previous,
            }
            self.indexes[list].len -= 1;
        }
        self.entries[number as usize].links[0].next = self.free;
        self.free = number;
        if self.entries.len() > LARGE && self.is_empty() {
            *self = Lists::default();
        }
        value
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.entries.iter().enumerate().filter_map(|(number, entry)| Some((number as u32, entry.value.as_ref()?)))
    }
}

/// Entries that an emptied queue keeps for the next burst; more are given back to the system.
const LARGE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a plain list of (key, value) in order of arrival.
        #[test]
        fn behaves_like_a_list(steps in prop::collection::vec((0u8..3, 0u32..6, 0i32..4), 1..400)) {
            let mut lists = Lists::<usize, 2>::default();
            let mut plain: Vec<(u32, i32, usize, u32)> = Vec::new();
            for (step, (what, source, tag)) in steps.into_iter().enumerate() {
                match what {
                    0 | 1 => {
                        let number = lists.push([Some((source, tag)), (what == 0).then_some((source, 0))], step);
                        plain.push((source, if what == 0 { tag } else { -tag - 1 }, step, number));
                    }
                    _ => {
                        let found = lists.first(1, (source, 0));
                        let expected = plain.iter().position(|p| p.0 == source && p.1 >= 0);
                        prop_assert_eq!(found, expected.map(|at| plain[at].3));
                        let found = lists.first(0, (source, tag));
                        let expected = plain.iter().position(|p| p.0 == source && (p.1 == tag || p.1 == -tag - 1));
                        prop_assert_eq!(found, expected.map(|at| plain[at].3));
                        if let (Some(number), Some(at)) = (found, expected) {
                            prop_assert_eq!(lists.remove(number), plain.remove(at).2);
                        }
                    }
                }
                prop_assert_eq!(lists.len(), plain.len());
            }
        }
    }
}
