//! Apportionment by largest remainder, with a bound for each share.

/// Shares `total` out by weight. Each gets the whole part of its exact share, but at most its bound; what is left goes one at a
/// time, in rounds, in the order of the remainders (the earlier of equal ones first), to those whose weight is above 0 and that
/// are below their bound. The shares add up to `total`, or to all bounds where these are less.
///
/// `total` and weights are such that their products fit: weights of at most 10^28 with a total of at most 10^10.
pub fn apportion(total: u64, weights: &[u128], bounds: &[Option<u64>]) -> Vec<u64> {
    let sum: u128 = weights.iter().sum();
    let mut shares = vec![0; weights.len()];
    if sum == 0 {
        return shares;
    }
    let mut order = Vec::with_capacity(weights.len());
    for (index, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
        let product = u128::from(total) * weight;
        let whole = u64::try_from(product / sum).unwrap_or(u64::MAX);
        shares[index] = whole.min(bound(bounds, index));
        order.push((std::cmp::Reverse(product % sum), index));
    }
    order.sort_unstable();
    let mut left = total - shares.iter().sum::<u64>();
    while left > 0 {
        order.retain(|(_, index)| shares[*index] < bound(bounds, *index));
        let Ok(takers) = u64::try_from(order.len()) else { break };
        if takers == 0 {
            break;
        }
        // As many whole rounds as there is enough for, then one step each.
        let rounds = (left / takers).max(1);
        for (_, index) in &order {
            let given = rounds.min(bound(bounds, *index) - shares[*index]).min(left);
            shares[*index] += given;
            left -= given;
        }
    }
    shares
}

fn bound(bounds: &[Option<u64>], index: usize) -> u64 {
    bounds.get(index).copied().flatten().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the largest remainders get what is left, equal ones in order, and nobody exceeds a bound.
    #[test]
    fn what_is_left_goes_by_remainder_then_by_order() {
        assert_eq!(apportion(10, &[1, 1, 1], &[None; 3]), [4, 3, 3]);
        assert_eq!(apportion(7, &[5, 3, 1], &[None; 3]), [4, 2, 1]);
        assert_eq!(apportion(10, &[1, 1, 1], &[Some(2), None, None]), [2, 4, 4]);
        assert_eq!(apportion(10, &[1, 0, 1], &[Some(2), None, Some(3)]), [2, 0, 3]);
        assert_eq!(apportion(10_000_000_000, &[1, 1], &[Some(1), None]), [1, 9_999_999_999]);
        assert_eq!(apportion(5, &[0, 0], &[None; 2]), [0, 0]);
    }
}
