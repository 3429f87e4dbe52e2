//! Categories: the tree in which a tool shows the variables (MPI 5.0 section 15.3.9).

use super::{Refusal, Result, at, cvar, index_of, name_of, pvar, put, tell, tell_list, tell_text};
use crate::instance::Instance;
use std::ffi::{c_char, c_int};

/// A category, by its index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Category {
    Hpvm,
    PointToPoint,
    Collective,
    FastMessages,
    Debugging,
}

struct Entry {
    category: Category,
    name: &'static str,
    text: &'static str,
    children: &'static [Category],
}

static ALL: [Entry; 5] = [
    Entry {
        category: Category::Hpvm,
        name: "hpvm",
        text: "Everything",
        children: &[Category::PointToPoint, Category::Collective, Category::FastMessages, Category::Debugging],
    },
    Entry {
        category: Category::PointToPoint,
        name: "hpvm_point_to_point",
        text: "Messages between processes, those that collective operations consist of among them: protocols, queues",
        children: &[],
    },
    Entry {
        category: Category::Collective,
        name: "hpvm_collective",
        text: "Collective operations: at which lengths they change their way",
        children: &[],
    },
    Entry {
        category: Category::FastMessages,
        name: "hpvm_fast_messages",
        text: "The layer below MPI: packets, rounds of progress",
        children: &[],
    },
    Entry { category: Category::Debugging, name: "hpvm_debugging", text: "Help in finding mistakes", children: &[] },
];

impl Entry {
    fn cvars(&self) -> impl Iterator<Item = usize> {
        (0..cvar::ALL.len()).filter(|index| cvar::ALL[*index].category == self.category)
    }

    fn pvars(&self) -> impl Iterator<Item = usize> {
        (0..pvar::ALL.len()).filter(|index| pvar::ALL[*index].category == self.category)
    }
}

/// The category with this index, of an initialised interface.
fn find(instance: &Instance, index: c_int) -> Result<&'static Entry> {
    instance.tools.is_open()?;
    at(&ALL, index)
}

pub unsafe fn get_num(instance: &Instance, num: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `init_thread`; so in all of this file.
    unsafe { put(num, ALL.len() as c_int) }
}

pub unsafe fn get_index(instance: &Instance, name: *const c_char, index: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `get_num`.
    unsafe {
        let name = name_of(name)?;
        put(index, index_of(&ALL, |entry| entry.name.as_bytes() == name)?)
    }
}

pub unsafe fn get_info(
    instance: &Instance,
    index: c_int,
    name: *mut c_char,
    name_len: *mut c_int,
    desc: *mut c_char,
    desc_len: *mut c_int,
    num_cvars: *mut c_int,
    num_pvars: *mut c_int,
    num_categories: *mut c_int,
) -> Result<()> {
    let entry = find(instance, index)?;
    // SAFETY: see `get_num`.
    unsafe {
        tell_text(name, name_len, entry.name);
        tell_text(desc, desc_len, entry.text);
        tell(num_cvars, entry.cvars().count() as c_int);
        tell(num_pvars, entry.pvars().count() as c_int);
        tell(num_categories, entry.children.len() as c_int);
    }
    Ok(())
}

pub unsafe fn get_num_events(instance: &Instance, index: c_int, num: *mut c_int) -> Result<()> {
    find(instance, index)?;
    // SAFETY: see `get_num`.
    unsafe { put(num, 0) }
}

pub unsafe fn get_cvars(instance: &Instance, index: c_int, len: c_int, indices: *mut c_int) -> Result<()> {
    // SAFETY: see `get_num`.
    unsafe { tell_list(indices, len, find(instance, index)?.cvars()) }
}

pub unsafe fn get_pvars(instance: &Instance, index: c_int, len: c_int, indices: *mut c_int) -> Result<()> {
    // SAFETY: see `get_num`.
    unsafe { tell_list(indices, len, find(instance, index)?.pvars()) }
}

pub unsafe fn get_categories(instance: &Instance, index: c_int, len: c_int, indices: *mut c_int) -> Result<()> {
    let children = find(instance, index)?.children.iter().map(|child| *child as usize);
    // SAFETY: see `get_num`.
    unsafe { tell_list(indices, len, children) }
}

pub unsafe fn get_events(instance: &Instance, index: c_int, len: c_int, _indices: *mut c_int) -> Result<()> {
    find(instance, index)?;
    if len < 0 { Err(Refusal::INVALID) } else { Ok(()) }
}

/// The number of changes so far: the categories are the same from the start.
pub unsafe fn changed(instance: &Instance, update_number: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `get_num`.
    unsafe { put(update_number, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_those_of_the_table() {
        for (index, entry) in ALL.iter().enumerate() {
            assert_eq!(entry.category as usize, index);
        }
        let (cvars, pvars) = (ALL.iter().flat_map(Entry::cvars).count(), ALL.iter().flat_map(Entry::pvars).count());
        assert_eq!((cvars, pvars), (cvar::ALL.len(), pvar::ALL.len()), "each variable is in one category");
    }
}
