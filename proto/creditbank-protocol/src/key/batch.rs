//! Many signatures at once, with the same answer as one by one.
//!
//! The sum over all i of `z_i ([S_i]B - [k_i]A_i - R_i)`, with random `z_i` of 128 bits, is zero when every signature holds, and
//! in the group of prime order it is not when one does not. Suite 1 is strict: it also refuses a signature that differs only by
//! a point of small order, which the sum could miss. So keys are taken only when they have no such part (once for each key),
//! and that the R have none is checked over random subsets of them: each finds one that has with a probability of 1/2.
//! The random numbers come from a seed that whoever made the signatures must not know.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity as _, IsIdentity as _, VartimeMultiscalarMul as _};
use sha2::{Digest as _, Sha256, Sha512};

use super::{is_reduced, verifying_key};

/// Random subsets of the R. What is wrong with one slips through all with a probability of 2^-48.
const SUBSETS: usize = 48;
/// Neighbours whose sums are made once for all subsets.
const GROUP: usize = 4;

/// A public key whose signatures may be verified in a batch: strictly valid, and without a part of small order.
#[derive(Debug, Clone)]
pub struct BatchKey {
    bytes: [u8; 32],
    point: EdwardsPoint,
}

impl BatchKey {
    /// The key in 32 bytes; `None` when its signatures must be verified one by one.
    pub fn new(public_key: &[u8]) -> Option<Self> {
        verifying_key(public_key).ok()?;
        let bytes = <[u8; 32]>::try_from(public_key).ok()?;
        let point = CompressedEdwardsY(bytes).decompress()?;
        point.is_torsion_free().then_some(Self { bytes, point })
    }
}

/// A signature of a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchItem<'a> {
    /// The key.
    pub key: &'a BatchKey,
    /// What was signed.
    pub message: &'a [u8],
    /// 64 bytes, if it is a signature.
    pub signature: &'a [u8],
}

/// Whether every signature of a batch holds strictly. `seed` is random and unknown to the signers. When the answer is no,
/// [`super::verify`] says which one does not.
pub fn verify_batch(items: &[BatchItem<'_>], seed: &[u8; 32]) -> bool {
    let read = items.iter().map(|item| read(item)).collect::<Option<Vec<_>>>();
    read.is_some_and(|read| {
        let randoms: Vec<[u8; 32]> = (0u64..).take(items.len()).map(|number| random(seed, number)).collect();
        sum_is_zero(items, &read, &randoms) && are_torsion_free(&read, &randoms)
    })
}

fn random(seed: &[u8; 32], number: u64) -> [u8; 32] {
    Sha256::new().chain_update(seed).chain_update(number.to_be_bytes()).finalize().into()
}

/// R, S and the challenge k of a signature whose encoding is the one that strict verification takes.
fn read(item: &BatchItem<'_>) -> Option<(EdwardsPoint, Scalar, Scalar)> {
    let bytes = <[u8; 64]>::try_from(item.signature).ok()?;
    let (first, second) = bytes.split_at(32);
    let encoded = <[u8; 32]>::try_from(first).ok().filter(is_reduced)?;
    let point = CompressedEdwardsY(encoded).decompress().filter(|point| !point.is_small_order())?;
    let s = Option::from(Scalar::from_canonical_bytes(<[u8; 32]>::try_from(second).ok()?))?;
    let challenge = Sha512::new().chain_update(encoded).chain_update(item.key.bytes).chain_update(item.message);
    Some((point, s, Scalar::from_bytes_mod_order_wide(&challenge.finalize().into())))
}

fn sum_is_zero(items: &[BatchItem<'_>], read: &[(EdwardsPoint, Scalar, Scalar)], randoms: &[[u8; 32]]) -> bool {
    let mut base = Scalar::ZERO;
    let mut scalars = Vec::with_capacity(2 * items.len() + 1);
    let mut points = Vec::with_capacity(2 * items.len() + 1);
    for ((item, (r, s, k)), random) in items.iter().zip(read).zip(randoms) {
        let z = Scalar::from(random[..16].iter().fold(0u128, |word, byte| word << 8 | u128::from(*byte)));
        base += z * s;
        scalars.extend([z, z * k]);
        points.extend([*r, item.key.point]);
    }
    scalars.push(-base);
    points.push(ED25519_BASEPOINT_POINT);
    EdwardsPoint::vartime_multiscalar_mul(scalars, points).is_identity()
}

/// Whether no R has a part of small order, by the other half of the random numbers.
fn are_torsion_free(read: &[(EdwardsPoint, Scalar, Scalar)], randoms: &[[u8; 32]]) -> bool {
    let mut sums = vec![EdwardsPoint::identity(); SUBSETS];
    for (group, randoms) in read.chunks(GROUP).zip(randoms.chunks(GROUP)) {
        // The sum of every subset of the group, by the bits of its position.
        let mut of_group = [EdwardsPoint::identity(); 1 << GROUP];
        for subset in 1..1usize << group.len() {
            let top = subset.ilog2() as usize;
            of_group[subset] = of_group[subset ^ 1 << top] + group[top].0;
        }
        for (number, sum) in sums.iter_mut().enumerate() {
            let bit = |random: &[u8; 32]| usize::from(random[16 + number / 8] >> (number % 8) & 1);
            let subset = randoms.iter().enumerate().fold(0, |subset, (at, random)| subset | bit(random) << at);
            if subset > 0 {
                *sum += of_group[subset];
            }
        }
    }
    sums.iter().all(EdwardsPoint::is_torsion_free)
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::key::{sign, verify};

    struct Signed {
        key: Vec<u8>,
        message: Vec<u8>,
        signature: Vec<u8>,
    }

    fn signed(number: u8) -> Signed {
        let key = SigningKey::from_bytes(&[number; 32]);
        let message = vec![number; usize::from(number)];
        let signature = sign(&key, &message).to_vec();
        Signed { key: key.verifying_key().to_bytes().to_vec(), message, signature }
    }

    fn batch(all: &[Signed], seed: u8) -> bool {
        let keys: Vec<_> = all.iter().map(|one| BatchKey::new(&one.key).expect("a plain key")).collect();
        let items: Vec<_> = all
            .iter()
            .zip(&keys)
            .map(|(one, key)| BatchItem { key, message: &one.message, signature: &one.signature })
            .collect();
        verify_batch(&items, &[seed; 32])
    }

    /// A signature that holds but for a point of small order in R: the equation with the cofactor would take it.
    fn with_torsion(number: u8, torsion: usize) -> Signed {
        let key = SigningKey::from_bytes(&[number; 32]);
        let public = key.verifying_key().to_bytes();
        let message = b"torsion".to_vec();
        let r = Scalar::from(u64::from(number) + 77);
        let point = EdwardsPoint::mul_base(&r) + EIGHT_TORSION[torsion];
        let encoded = point.compress().to_bytes();
        let challenge = Sha512::new().chain_update(encoded).chain_update(public).chain_update(&message);
        let k = Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
        let s = r + k * key.to_scalar();
        Signed { key: public.to_vec(), message, signature: [encoded, s.to_bytes()].concat() }
    }

    #[test]
    fn good_signatures_hold_in_any_number() {
        for count in [0, 1, 2, 3, 5, 17, 70] {
            assert!(batch(&(1..=count).map(signed).collect::<Vec<_>>(), count), "{count}");
        }
    }

    /// Goal: a batch never takes what strict verification refuses: another message, any flipped bit, an S that is too large.
    #[test]
    fn one_bad_signature_is_enough() {
        for bit in (0..512).step_by(7) {
            let mut all: Vec<_> = (1..=6).map(signed).collect();
            all[3].signature[bit / 8] ^= 1 << (bit % 8);
            assert!(!batch(&all, 1), "bit {bit}");
        }
        let mut all: Vec<_> = (1..=6).map(signed).collect();
        all[5].message.push(0);
        assert!(!batch(&all, 1));
        all[5].signature.truncate(63);
        assert!(!batch(&all, 1));
        // S + l, the same number modulo the order.
        let mut all: Vec<_> = (1..=6).map(signed).collect();
        let order =
            hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").expect("hexadecimal");
        let mut carry = 0;
        for (byte, add) in all[0].signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_be_bytes()[1];
            carry = sum >> 8;
        }
        assert!(verify(&all[0].key, &all[0].message, &all[0].signature).is_err() && !batch(&all, 1));
    }

    /// Goal: points of small order in R do not slip through, alone or where they cancel, whatever the seed.
    #[test]
    fn small_orders_do_not_slip_through() {
        for torsion in 1..8 {
            let odd = with_torsion(9, torsion);
            assert!(verify(&odd.key, &odd.message, &odd.signature).is_err(), "strict verification refuses it");
            for seed in 0..40 {
                let mut all: Vec<_> = (1..=6).map(signed).collect();
                all.insert(2, with_torsion(9, torsion));
                assert!(!batch(&all, seed), "torsion {torsion}, seed {seed}");
                // One that cancels it.
                all.push(with_torsion(10, 8 - torsion));
                assert!(!batch(&all, seed), "torsion {torsion} and its opposite, seed {seed}");
            }
        }
        let mixed = EdwardsPoint::mul_base(&Scalar::from(5u64)) + EIGHT_TORSION[1];
        assert!(
            verifying_key(&mixed.compress().to_bytes()).is_ok()
                && BatchKey::new(&mixed.compress().to_bytes()).is_none()
        );
    }
}
