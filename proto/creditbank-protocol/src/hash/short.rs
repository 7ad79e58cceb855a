//! SHA-256 of short messages, which are nearly all that a record costs.
//!
//! The hasher of the library keeps a buffer and a count for messages of any length. For one or two blocks that is a
//! third of the time, so they are padded here and given to the library's compression function.

use sha2::block_api::compress256;

use crate::Digest;

const BLOCK_LEN: usize = 64;
/// Longest message that is padded to two blocks: padding takes nine bytes (FIPS 180-4, section 5.1.1).
pub(super) const LEN_MAX: usize = 2 * BLOCK_LEN - 9;
/// Initial hash value (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of the parts, which have `len` bytes together, at most [`LEN_MAX`].
#[inline]
pub(super) fn sha256(parts: &[&[u8]], len: usize) -> Digest {
    let mut blocks = [[0; BLOCK_LEN]; 2];
    let bytes = blocks.as_flattened_mut();
    let mut end = 0;
    for part in parts {
        bytes[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    bytes[len] = 0x80;
    let used = if len + 9 <= BLOCK_LEN { 1 } else { 2 };
    let bits = 8 * len as u64;
    bytes[used * BLOCK_LEN - 8..used * BLOCK_LEN].copy_from_slice(&bits.to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &blocks[..used]);
    let mut digest = [0; 32];
    for (out, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *out = word.to_be_bytes();
    }
    Digest(digest)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// Goal: a short message has the hash that the library gives, at every length, however it is cut into parts.
    #[test]
    fn short_messages_have_the_hash_of_the_library() {
        let message: Vec<u8> = (0..LEN_MAX).map(|byte| u8::try_from(byte).expect("below 120")).collect();
        for len in 0..=LEN_MAX {
            let expected = Digest(Sha256::digest(&message[..len]).into());
            for cut in [0, len / 3, len] {
                let (left, right) = message[..len].split_at(cut);
                assert_eq!(sha256(&[left, right], len), expected, "{len} bytes, cut at {cut}");
            }
        }
    }
}
