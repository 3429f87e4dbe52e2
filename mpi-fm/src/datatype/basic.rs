//! The predefined datatypes of the standard ABI: one table, from which everything else derives.
//!
//! A [`Basic`] is an index into [`TABLE`]; it is what a type map (MPI 5.0 section 5.1) lists. Sizes are those of the
//! Linux LP64 C ABI, and of Fortran with 4-byte INTEGER, REAL and LOGICAL (the ABI's default, section 20.4).

use std::fmt;

/// How the bytes of a basic element are read as a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Number {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    I128,
    /// IEEE binary16: Fortran's optional REAL*2.
    F16,
    F32,
    F64,
    /// C `long double`: x87 extended in 16 bytes on x86_64, IEEE binary128 on aarch64.
    Long,
    /// IEEE binary128: Fortran's optional REAL*16.
    F128,
}

impl Number {
    pub const fn size(self) -> usize {
        match self {
            Number::I8 | Number::U8 => 1,
            Number::I16 | Number::U16 | Number::F16 => 2,
            Number::I32 | Number::U32 | Number::F32 => 4,
            Number::I64 | Number::U64 | Number::F64 => 8,
            Number::I128 | Number::Long | Number::F128 => 16,
        }
    }
}

/// The groups in which the standard says what a reduction accepts (MPI 5.0 section 6.9.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Group {
    CInteger,
    FortranInteger,
    Floating,
    Complex,
    Logical,
    Byte,
    /// MPI_AINT, MPI_COUNT, MPI_OFFSET.
    MultiLanguage,
    /// Characters have no arithmetic: MPI_CHAR, MPI_WCHAR, MPI_CHARACTER.
    Character,
    Packed,
    /// A value with its location, for MINLOC and MAXLOC; two basic elements.
    Pair,
}

/// One row of the table.
pub struct Row {
    pub handle: u32,
    pub name: &'static str,
    pub group: Group,
    /// The element's number; of a complex type its parts, of a pair the value.
    pub number: Number,
    /// Of a pair: value and index as types of their own.
    pub pair: Option<(Basic, Basic)>,
}

/// A predefined datatype, as an index into [`TABLE`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Basic(u8);

// Of two names for one handle, the table has the standard's first: MPI_LONG_LONG_INT, MPI_C_COMPLEX (section 3.2.2).
macro_rules! table {
    ($($handle:literal $name:ident $group:ident $number:ident $(($value:ident, $index:ident))?;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Place { $($name),* }
        /// Every predefined datatype, in the order of the ABI's handles.
        pub static TABLE: &[Row] = &[$(Row {
            handle: $handle,
            name: stringify!($name),
            group: Group::$group,
            number: Number::$number,
            pair: table!(@pair $(($value, $index))?),
        }),*];
        impl Basic { $(pub const $name: Basic = Basic(Place::$name as u8);)* }
    };
    (@pair) => { None };
    (@pair ($value:ident, $index:ident)) => { Some((Basic::$value, Basic::$index)) };
}

table! {
    0x201 MPI_AINT MultiLanguage I64;
    0x202 MPI_COUNT MultiLanguage I64;
    0x203 MPI_OFFSET MultiLanguage I64;
    0x207 MPI_PACKED Packed U8;
    0x208 MPI_SHORT CInteger I16;
    0x209 MPI_INT CInteger I32;
    0x20a MPI_LONG CInteger I64;
    0x20b MPI_LONG_LONG_INT CInteger I64;
    0x20c MPI_UNSIGNED_SHORT CInteger U16;
    0x20d MPI_UNSIGNED CInteger U32;
    0x20e MPI_UNSIGNED_LONG CInteger U64;
    0x20f MPI_UNSIGNED_LONG_LONG CInteger U64;
    0x210 MPI_FLOAT Floating F32;
    0x212 MPI_C_COMPLEX Complex F32;
    0x213 MPI_CXX_FLOAT_COMPLEX Complex F32;
    0x214 MPI_DOUBLE Floating F64;
    0x216 MPI_C_DOUBLE_COMPLEX Complex F64;
    0x217 MPI_CXX_DOUBLE_COMPLEX Complex F64;
    0x218 MPI_LOGICAL Logical I32;
    0x219 MPI_INTEGER FortranInteger I32;
    0x21a MPI_REAL Floating F32;
    0x21b MPI_COMPLEX Complex F32;
    0x21c MPI_DOUBLE_PRECISION Floating F64;
    0x21d MPI_DOUBLE_COMPLEX Complex F64;
    0x21e MPI_CHARACTER Character U8;
    0x220 MPI_LONG_DOUBLE Floating Long;
    0x224 MPI_C_LONG_DOUBLE_COMPLEX Complex Long;
    0x225 MPI_CXX_LONG_DOUBLE_COMPLEX Complex Long;
    0x228 MPI_FLOAT_INT Pair F32 (MPI_FLOAT, MPI_INT);
    0x229 MPI_DOUBLE_INT Pair F64 (MPI_DOUBLE, MPI_INT);
    0x22a MPI_LONG_INT Pair I64 (MPI_LONG, MPI_INT);
    0x22b MPI_2INT Pair I32 (MPI_INT, MPI_INT);
    0x22c MPI_SHORT_INT Pair I16 (MPI_SHORT, MPI_INT);
    0x22d MPI_LONG_DOUBLE_INT Pair Long (MPI_LONG_DOUBLE, MPI_INT);
    0x230 MPI_2REAL Pair F32 (MPI_REAL, MPI_REAL);
    0x231 MPI_2DOUBLE_PRECISION Pair F64 (MPI_DOUBLE_PRECISION, MPI_DOUBLE_PRECISION);
    0x232 MPI_2INTEGER Pair I32 (MPI_INTEGER, MPI_INTEGER);
    0x238 MPI_C_BOOL Logical U8;
    0x239 MPI_CXX_BOOL Logical U8;
    0x23c MPI_WCHAR Character I32;
    0x240 MPI_INT8_T CInteger I8;
    0x241 MPI_UINT8_T CInteger U8;
    0x243 MPI_CHAR Character I8;
    0x244 MPI_SIGNED_CHAR CInteger I8;
    0x245 MPI_UNSIGNED_CHAR CInteger U8;
    0x247 MPI_BYTE Byte U8;
    0x248 MPI_INT16_T CInteger I16;
    0x249 MPI_UINT16_T CInteger U16;
    0x250 MPI_INT32_T CInteger I32;
    0x251 MPI_UINT32_T CInteger U32;
    0x258 MPI_INT64_T CInteger I64;
    0x259 MPI_UINT64_T CInteger U64;
    0x2c0 MPI_LOGICAL1 Logical I8;
    0x2c1 MPI_INTEGER1 FortranInteger I8;
    0x2c8 MPI_LOGICAL2 Logical I16;
    0x2c9 MPI_INTEGER2 FortranInteger I16;
    0x2ca MPI_REAL2 Floating F16;
    0x2d0 MPI_LOGICAL4 Logical I32;
    0x2d1 MPI_INTEGER4 FortranInteger I32;
    0x2d2 MPI_REAL4 Floating F32;
    0x2d3 MPI_COMPLEX4 Complex F16;
    0x2d8 MPI_LOGICAL8 Logical I64;
    0x2d9 MPI_INTEGER8 FortranInteger I64;
    0x2da MPI_REAL8 Floating F64;
    0x2db MPI_COMPLEX8 Complex F32;
    0x2e0 MPI_LOGICAL16 Logical I128;
    0x2e1 MPI_INTEGER16 FortranInteger I128;
    0x2e2 MPI_REAL16 Floating F128;
    0x2e3 MPI_COMPLEX16 Complex F64;
    0x2eb MPI_COMPLEX32 Complex F128;
}

pub(super) const FIRST_HANDLE: u32 = 0x201;
pub(super) const HANDLES: usize = 0x100;

/// From a handle (less [`FIRST_HANDLE`]) to its row; 255 where the ABI has no type.
static ROW_OF_HANDLE: [u8; HANDLES] = {
    let mut rows = [255; HANDLES];
    let mut i = 0;
    while i < TABLE_LEN {
        rows[(TABLE[i].handle - FIRST_HANDLE) as usize] = i as u8;
        i += 1;
    }
    rows
};
const TABLE_LEN: usize = TABLE.len();
const _: () = assert!(TABLE_LEN < 255);

impl Basic {
    /// The predefined datatype of an ABI handle.
    #[inline]
    pub fn of_handle(handle: u32) -> Option<Basic> {
        let at = handle.checked_sub(FIRST_HANDLE)? as usize;
        match ROW_OF_HANDLE.get(at) {
            Some(&row) if row != 255 => Some(Basic(row)),
            _ => None,
        }
    }

    pub fn all() -> impl Iterator<Item = Basic> {
        (0..TABLE.len() as u8).map(Basic)
    }

    /// The row of an index below the table's length.
    pub fn at(index: usize) -> Basic {
        assert!(index < TABLE.len());
        Basic(index as u8)
    }

    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    pub fn row(self) -> &'static Row {
        &TABLE[self.0 as usize]
    }

    pub fn handle(self) -> u32 {
        self.row().handle
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub fn group(self) -> Group {
        self.row().group
    }

    pub fn number(self) -> Number {
        self.row().number
    }

    /// Bytes of data; of a pair without the padding between and behind its two parts.
    pub fn size(self) -> u64 {
        let row = self.row();
        match (row.pair, row.group) {
            (Some((value, index)), _) => value.size() + index.size(),
            (None, Group::Complex) => 2 * row.number.size() as u64,
            (None, _) => row.number.size() as u64,
        }
    }

    pub fn alignment(self) -> u64 {
        match self.row().pair {
            Some((value, index)) => value.alignment().max(index.alignment()),
            // All numbers of both supported ABIs are aligned to their size, complex ones to that of their parts.
            None => self.row().number.size() as u64,
        }
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_found_and_gaps_are_not() {
        for basic in Basic::all() {
            assert_eq!(Basic::of_handle(basic.handle()), Some(basic));
        }
        for gap in [0, 0x200, 0x204, 0x211, 0x2ec, 0x301, 0x302, u32::MAX] {
            assert_eq!(Basic::of_handle(gap), None, "{gap:#x}");
        }
    }

    /// In the ABI, handles 0x200..0x2ff carry the size of fixed-size types in bits 3 to 5 (MPI 5.0 section 20.3).
    #[test]
    fn fixed_sizes_agree_with_the_bits_of_the_handle() {
        for basic in Basic::all().filter(|b| b.handle() >= 0x240) {
            assert_eq!(basic.size(), 1 << ((basic.handle() >> 3) & 7), "{basic:?}");
        }
    }
}
