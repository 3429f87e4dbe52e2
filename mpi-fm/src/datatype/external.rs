//! external32, the canonical representation (MPI 5.0 section 14.5.2): big-endian, with sizes of its own, no padding.
//!
//! Data passes through a small native buffer: the layout fills it, the signature says what the bytes in it are.

use std::sync::Arc;

use super::basic::{Basic, Group, Number};
use super::signature::{BasicRun, Signature};
use super::Datatype;
use crate::bail;
use crate::error::Result;
use crate::op::soft::{Extended, Quad};

/// A multiple of every basic element's size.
const CHUNK: usize = 4 << 10;

/// Bytes of a basic element (a pair: of both parts) in external32.
pub fn size(basic: Basic) -> u64 {
    match (basic, basic.row().pair) {
        (_, Some((value, index))) => size(value) + size(index),
        (Basic::MPI_WCHAR, _) => 2,
        (Basic::MPI_LONG | Basic::MPI_UNSIGNED_LONG, _) => 4,
        _ => basic.size(),
    }
}

impl Datatype {
    /// Bytes of `count` items in external32.
    pub fn external_bytes(&self, count: usize) -> Result<u64> {
        match self.signature.external_bytes.checked_mul(count as u64) {
            Some(bytes) if bytes <= i64::MAX as u64 => Ok(bytes),
            _ => bail!(VALUE_TOO_LARGE, "{count} items of {} do not fit 64 bits in external32", self.describe()),
        }
    }

    /// Writes `count` items at `addr` to `out` in external32; returns the bytes.
    ///
    /// # Safety
    /// `count` items of this type at `addr` are readable and do not overlap `out`.
    pub unsafe fn pack_external(&self, addr: *const u8, count: usize, out: &mut [u8]) -> Result<usize> {
        let bytes = self.external_bytes(count)? as usize;
        let Some(mut out) = out.get_mut(..bytes) else {
            bail!(TRUNCATE, "{bytes} bytes are to be packed, and there is room for {}", out.len());
        };
        let mut offset = 0;
        for_each_chunk(&self.signature, count, |basic, n| {
            let (mut native, bytes) = ([0; CHUNK], n * basic.size() as usize);
            // SAFETY: the caller's promise.
            unsafe { self.pack(addr, count, offset, &mut native[..bytes]) };
            offset += bytes as u64;
            let (now, later) = std::mem::take(&mut out).split_at_mut(n * size(basic) as usize);
            out = later;
            encode(basic, &native[..bytes], now)
        })?;
        Ok(bytes)
    }

    /// Reads `count` items from external32 `data` to `addr`; returns the bytes.
    ///
    /// # Safety
    /// `count` items of this type at `addr` are writable and do not overlap `data`.
    pub unsafe fn unpack_external(&self, addr: *mut u8, count: usize, data: &[u8]) -> Result<usize> {
        let bytes = self.external_bytes(count)? as usize;
        let Some(mut data) = data.get(..bytes) else {
            bail!(TRUNCATE, "{bytes} bytes are to be unpacked, and there are {}", data.len());
        };
        let mut offset = 0;
        for_each_chunk(&self.signature, count, |basic, n| {
            let (mut native, bytes) = ([0; CHUNK], n * basic.size() as usize);
            let (now, later) = data.split_at(n * size(basic) as usize);
            data = later;
            decode(basic, now, &mut native[..bytes]);
            // SAFETY: the caller's promise.
            unsafe { self.unpack(addr, count, offset, &native[..bytes]) };
            offset += bytes as u64;
            Ok(())
        })?;
        Ok(bytes)
    }
}

/// Visits the basic elements of `count` items, in runs that fit a chunk.
fn for_each_chunk(
    signature: &Arc<Signature>,
    count: usize,
    mut visit: impl FnMut(Basic, usize) -> Result<()>,
) -> Result<()> {
    Signature::repeated(signature, count as u64).for_each_run(&mut |BasicRun { basic, count }| {
        let mut left = count;
        while left > 0 {
            let n = left.min(CHUNK as u64 / basic.size());
            visit(basic, n as usize)?;
            left -= n;
        }
        Ok(())
    })
}

/// The size of the parts whose bytes are reversed: a complex number has two.
fn part(basic: Basic) -> usize {
    match basic.group() {
        Group::Byte | Group::Packed => 1,
        _ => basic.number().size(),
    }
}

fn encode(basic: Basic, native: &[u8], out: &mut [u8]) -> Result<()> {
    let part = part(basic);
    if size(basic) != basic.size() {
        let narrow = part * size(basic) as usize / basic.size() as usize;
        for (from, to) in native.chunks_exact(part).zip(out.chunks_exact_mut(narrow)) {
            let (low, high) = from.split_at(narrow);
            // Of a signed number the upper half must repeat the sign; MPI_WCHAR holds no negative ones.
            let signed = basic == Basic::MPI_LONG;
            let fill = if signed && low[narrow - 1] & 0x80 != 0 { 0xff } else { 0 };
            if high.iter().any(|&b| b != fill) {
                bail!(CONVERSION, "a value of {basic:?} does not fit the {narrow} bytes that it has in external32");
            }
            reverse(low, to);
        }
        return Ok(());
    }
    for (from, to) in native.chunks_exact(part).zip(out.chunks_exact_mut(part)) {
        match basic.number() {
            Number::Long if cfg!(target_arch = "x86_64") => {
                let bits = u128::from_le_bytes(from.try_into().expect("16 bytes"));
                let quad = Quad::put_together(Extended::from_bits(bits).take_apart());
                to.copy_from_slice(&quad.to_bits().to_be_bytes());
            }
            _ => reverse(from, to),
        }
    }
    Ok(())
}

fn decode(basic: Basic, data: &[u8], native: &mut [u8]) {
    let part = part(basic);
    let wide = part * size(basic) as usize / basic.size() as usize;
    for (from, to) in data.chunks_exact(wide).zip(native.chunks_exact_mut(part)) {
        match basic.number() {
            Number::Long if cfg!(target_arch = "x86_64") => {
                let bits = u128::from_be_bytes(from.try_into().expect("16 bytes"));
                let long = Extended::put_together(Quad::from_bits(bits).take_apart());
                to.copy_from_slice(&long.to_bits().to_le_bytes());
            }
            _ => {
                let negative = basic == Basic::MPI_LONG && from[0] & 0x80 != 0;
                to[wide..].fill(if negative { 0xff } else { 0 });
                reverse(from, &mut to[..wide]);
            }
        }
    }
}

fn reverse(from: &[u8], to: &mut [u8]) {
    for (byte, place) in from.iter().rev().zip(to) {
        *place = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{Form, Predefined};
    use crate::error::Class;

    fn packed<T>(ty: &Datatype, items: &[T]) -> Result<Vec<u8>> {
        let count = size_of_val(items) / ty.extent() as usize;
        let mut out = vec![0; ty.external_bytes(count)? as usize];
        // SAFETY: `items` has that many items.
        let n = unsafe { ty.pack_external(items.as_ptr().cast(), count, &mut out)? };
        assert_eq!(n, out.len());
        let mut back: Vec<u8> = vec![0; size_of_val(items)];
        // SAFETY: room for as many.
        unsafe { ty.unpack_external(back.as_mut_ptr(), count, &out)? };
        // SAFETY: plain numbers as bytes.
        let original = unsafe { std::slice::from_raw_parts(items.as_ptr().cast::<u8>(), size_of_val(items)) };
        let (mut a, mut b) = (vec![0; n * 4], vec![0; n * 4]);
        // SAFETY: the same number of items in both.
        unsafe {
            ty.pack(original.as_ptr(), count, 0, &mut a);
            ty.pack(back.as_ptr(), count, 0, &mut b);
        }
        assert_eq!(a, b, "what went out comes back");
        Ok(out)
    }

    #[test]
    fn numbers_are_big_endian_with_the_sizes_of_the_standard() {
        let types = Predefined::new();
        let get = |basic| types.get(basic);
        assert_eq!(packed(get(Basic::MPI_INT), &[0x0102_0304i32, -2]).unwrap(), [1, 2, 3, 4, 0xff, 0xff, 0xff, 0xfe]);
        assert_eq!(packed(get(Basic::MPI_LONG), &[-2i64, 5]).unwrap(), [0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 5]);
        assert_eq!(packed(get(Basic::MPI_LONG_LONG_INT), &[-2i64]).unwrap(), (-2i64).to_be_bytes());
        assert_eq!(packed(get(Basic::MPI_WCHAR), &[0x20acu32]).unwrap(), [0x20, 0xac]);
        assert_eq!(packed(get(Basic::MPI_DOUBLE), &[1.5f64]).unwrap(), 1.5f64.to_be_bytes());
        let complex = packed(get(Basic::MPI_C_COMPLEX), &[[1.0f32, -2.0]]).unwrap();
        assert_eq!(complex, [1.0f32.to_be_bytes(), (-2.0f32).to_be_bytes()].concat());
        let many: Vec<i16> = (0..5000).collect();
        let expected: Vec<u8> = many.iter().flat_map(|n| n.to_be_bytes()).collect();
        assert_eq!(packed(get(Basic::MPI_SHORT), &many).unwrap(), expected);
    }

    #[test]
    fn pairs_and_structures_lose_their_padding() {
        let types = Predefined::new();
        let pair = packed(types.get(Basic::MPI_DOUBLE_INT), &[(1.5f64, 7i64)]).unwrap();
        assert_eq!(pair, [&1.5f64.to_be_bytes()[..], &7i32.to_be_bytes()].concat());
        let parts = [types.get(Basic::MPI_CHAR).clone(), types.get(Basic::MPI_LONG).clone()];
        let ty = Datatype::structure(Form::Int, &[1, 1], &[0, 8], &parts).unwrap();
        assert_eq!(packed(&ty, &[[65i64, 3], [66, 4]]).unwrap(), [65, 0, 0, 0, 3, 66, 0, 0, 0, 4]);
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let types = Predefined::new();
        let refused = |basic, value: i64| packed(types.get(basic), &[value]).unwrap_err().class;
        assert_eq!(refused(Basic::MPI_LONG, 1 << 31), Class::CONVERSION);
        assert_eq!(refused(Basic::MPI_UNSIGNED_LONG, -1), Class::CONVERSION);
        assert!(packed(types.get(Basic::MPI_LONG), &[-(1i64 << 31)]).is_ok());
        assert!(packed(types.get(Basic::MPI_UNSIGNED_LONG), &[(1i64 << 32) - 1]).is_ok());
        let mut room = [0; 3];
        // SAFETY: one int to read.
        let short = unsafe { types.get(Basic::MPI_INT).pack_external([1i32].as_ptr().cast(), 1, &mut room) };
        assert_eq!(short.unwrap_err().class, Class::TRUNCATE);
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn long_double_becomes_binary128() {
        let types = Predefined::new();
        // -1.5 in x87: exponent 16383, significand 0xc000…; in binary128 the leading one is implied.
        let x87: u128 = 0xbfff << 64 | 0xc000_0000_0000_0000;
        let quad = packed(types.get(Basic::MPI_LONG_DOUBLE), &[x87]).unwrap();
        assert_eq!(quad, (0xbfff_8000u128 << 96).to_be_bytes());
    }
}
