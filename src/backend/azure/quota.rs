//! How many calls ARM says are left, so that the gateway's own budget never believes in more.
//!
//! Two headers tell: what is left of the compute provider's policies that the call counted against, and what is
//! left of the subscription's reads. With `x-ms-throttling-version: v2` the second is 0 on every good answer
//! and means nothing.

use http::HeaderMap;

const POLICIES: &str = "x-ms-ratelimit-remaining-resource";
const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";
const VERSION: &str = "x-ms-throttling-version";

/// The least that is left of anything; none if ARM does not say.
pub(super) fn left(headers: &HeaderMap) -> Option<u32> {
    let texts = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let policies = texts(POLICIES)
        .flat_map(|policies| policies.split(','))
        .filter_map(|policy| policy.rsplit_once(';')?.1.trim().parse().ok());
    let v2 = texts(VERSION).any(|version| version.eq_ignore_ascii_case("v2"));
    let reads = texts(READS).filter(|_| !v2).filter_map(|left| left.trim().parse().ok());
    policies.chain(reads).min()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn left_of(headers: &[(&'static str, &'static str)]) -> Option<u32> {
        let pairs = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        left(&pairs.collect())
    }

    #[test]
    fn the_least_counts() {
        let policies = "Microsoft.Compute/GetOperationResource;44,Microsoft.Compute/GetOperationSubscriptionMaximum;14999";
        assert_eq!(left_of(&[(POLICIES, policies)]), Some(44));
        assert_eq!(left_of(&[(POLICIES, policies), (READS, "12")]), Some(12));
        assert_eq!(left_of(&[]), None);
        assert_eq!(left_of(&[(POLICIES, "Microsoft.Compute/LowCostGet;many")]), None);
    }

    #[test]
    fn the_zeros_of_v2_are_not_believed() {
        assert_eq!(left_of(&[(READS, "0"), (VERSION, "v2")]), None);
        assert_eq!(left_of(&[(READS, "0")]), Some(0));
        let policy = (POLICIES, "Microsoft.Compute/LowCostGetRestorePointSubscriptionMaximum;599");
        assert_eq!(left_of(&[(READS, "0"), (VERSION, "V2"), policy]), Some(599));
    }
}
