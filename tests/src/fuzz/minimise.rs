//! Makes an input that fails smaller, as long as it fails.

/// How many smaller inputs are tried at most: each that fails says so on the terminal.
const TRIES: usize = 400;

/// A smaller input that fails as well, if one is found.
pub(super) fn minimise(input: &[u8], fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut least = input.to_vec();
    let mut tries = 0;
    let mut piece = least.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        while from < least.len() && tries < TRIES {
            let end = (from + piece).min(least.len());
            let without = [&least[..from], &least[end..]].concat();
            tries += 1;
            if fails(&without) {
                least = without;
            } else {
                from = end;
            }
        }
        if piece == 1 || tries >= TRIES {
            return least;
        }
        piece /= 2;
    }
}
