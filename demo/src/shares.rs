//! Deals out fates by shares: the counts are exact, who gets what is chosen by a seed.

use fastrand::Rng;

/// How many of `total` a share in percent is, rounded half up.
pub(crate) fn count_of(total: usize, percent: u8) -> usize {
    (total * usize::from(percent) + 50) / 100
}

/// One fate for each of `total`, in an order that the random numbers choose: each share gets its exact count, and
/// what is left gets `rest`. Shares that round up to more than there are give way from the last.
pub(crate) fn deal<T: Copy>(total: usize, shares: &[(T, u8)], rest: T, random: &mut Rng) -> Vec<T> {
    let mut dealt: Vec<T> = Vec::with_capacity(total);
    for &(fate, percent) in shares {
        let left = total - dealt.len();
        dealt.extend(std::iter::repeat_n(fate, count_of(total, percent).min(left)));
    }
    dealt.resize(total, rest);
    random.shuffle(&mut dealt);
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(dealt: &[char], fate: char) -> usize {
        dealt.iter().filter(|dealt| **dealt == fate).count()
    }

    #[test]
    fn counts_are_exact_whatever_the_seed() {
        for seed in 0..50 {
            let dealt = deal(830, &[('d', 6), ('s', 4), ('l', 2)], 'a', &mut Rng::with_seed(seed));
            assert_eq!(['d', 's', 'l', 'a'].map(|fate| count(&dealt, fate)), [50, 33, 17, 730]);
        }
    }

    #[test]
    fn the_seed_chooses_who_gets_what() {
        let dealt = |seed| deal(100, &[('d', 10)], 'a', &mut Rng::with_seed(seed));
        assert_eq!(dealt(7), dealt(7));
        assert_ne!(dealt(7), dealt(8));
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        assert_eq!(
            [(830, 2), (25, 2), (24, 2), (0, 50)].map(|(total, share)| count_of(total, share)),
            [17, 1, 0, 0]
        );
    }

    #[test]
    fn shares_that_round_up_to_too_many_give_way() {
        let dealt = deal(1, &[('d', 50), ('s', 50)], 'a', &mut Rng::with_seed(1));
        assert_eq!(dealt, ['d']);
    }
}
