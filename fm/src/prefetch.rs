//! Asking for cache lines before they are needed. Hints: nothing waits for them, and nothing depends on them.

#![allow(unsafe_code)]

/// This line will be written soon.
#[inline]
pub fn to_write<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint: no register or memory changes. Processors without it ignore it.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) std::ptr::from_ref(value), options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

/// This line will be read soon.
#[inline]
pub fn to_read<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint: no register or memory changes.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(std::ptr::from_ref(value).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
