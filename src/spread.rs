//! Chance, to pull apart what would otherwise happen at once.

/// 0 to 1, at random.
pub(crate) fn spread() -> f64 {
    let mut random = [0; 1];
    match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => f64::from(random[0]) / 255.0,
        Err(_) => 0.0,
    }
}
