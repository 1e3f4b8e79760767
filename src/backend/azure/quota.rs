//! How many requests ARM reports as remaining, so that the gateway's rate limiter never assumes more.
//!
//! Two headers report it: one for the policies of the compute provider that the request was counted against, one for the
//! reads of the subscription. With `x-ms-throttling-version: v2` the second is 0 on every successful response and is
//! ignored.

use http::HeaderMap;

const POLICIES: &str = "x-ms-ratelimit-remaining-resource";
const READS: &str = "x-ms-ratelimit-remaining-subscription-reads";
const VERSION: &str = "x-ms-throttling-version";

/// The smallest number of remaining requests; none if ARM reports none.
pub(super) fn remaining(headers: &HeaderMap) -> Option<u32> {
    let texts = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let policies = texts(POLICIES)
        .flat_map(|policies| policies.split(','))
        .filter_map(|policy| policy.rsplit_once(';')?.1.trim().parse().ok());
    let is_v2 = texts(VERSION).any(|version| version.eq_ignore_ascii_case("v2"));
    let reads = texts(READS).filter(|_| !is_v2).filter_map(|count| count.trim().parse().ok());
    policies.chain(reads).min()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn remaining_in(headers: &[(&'static str, &'static str)]) -> Option<u32> {
        let pairs = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        remaining(&pairs.collect())
    }

    #[test]
    fn the_smallest_number_counts() {
        let policies = "Microsoft.Compute/GetOperationResource;44,Microsoft.Compute/GetOperationSubscriptionMaximum;14999";
        assert_eq!(remaining_in(&[(POLICIES, policies)]), Some(44));
        assert_eq!(remaining_in(&[(POLICIES, policies), (READS, "12")]), Some(12));
        assert_eq!(remaining_in(&[]), None);
        assert_eq!(remaining_in(&[(POLICIES, "Microsoft.Compute/LowCostGet;many")]), None);
    }

    #[test]
    fn the_zeros_of_v2_are_ignored() {
        assert_eq!(remaining_in(&[(READS, "0"), (VERSION, "v2")]), None);
        assert_eq!(remaining_in(&[(READS, "0")]), Some(0));
        let policy = (POLICIES, "Microsoft.Compute/LowCostGetRestorePointSubscriptionMaximum;599");
        assert_eq!(remaining_in(&[(READS, "0"), (VERSION, "V2"), policy]), Some(599));
    }
}
