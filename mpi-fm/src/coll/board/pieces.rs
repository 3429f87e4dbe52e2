//! Cutting data into what one step carries.

/// The pieces of `total` bytes, of `each` at most: where they begin, and their lengths. There is one even if there is nothing.
pub fn pieces(total: u64, each: usize) -> impl Iterator<Item = (u64, usize)> {
    // Most data is one piece, and a division is long beside it.
    let count = if total <= each as u64 { 1 } else { total.div_ceil(each as u64) };
    (0..count).map(move |index| {
        let offset = index * each as u64;
        (offset, (total - offset).min(each as u64) as usize)
    })
}

/// What piece number `index` has of a block of `total`, when pieces have `each`: where it begins, and its length, which may be 0.
pub fn piece(total: usize, each: usize, index: usize) -> (usize, usize) {
    let begin = (index * each).min(total);
    (begin, (total - begin).min(each))
}
