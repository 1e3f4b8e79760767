//! Orders: a valid order is a total order in which no two points are equal; the error of an invalid one names the field
//! and is short.

#![no_main]

use std::cmp::Ordering;

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::model::{Error, InvalidKind, OrderBy, SortKey};

fuzz_target!(|text: &str| {
    let order = match OrderBy::parse(text) {
        Ok(Some(order)) => order,
        Ok(None) => return assert!(text.trim().is_empty()),
        Err(Error::InvalidArgument { kind: InvalidKind::Filter, field, problem }) => {
            assert_eq!(field, "order_by");
            return assert!(problem.len() < 1000, "{} bytes", problem.len());
        }
        Err(other) => panic!("{other:?}"),
    };
    let times = [None, Some(i128::MIN), Some(0), Some(i128::MAX)];
    let keys: Vec<SortKey> = times
        .iter()
        .flat_map(|time| ["", "a", "b"].map(|name| SortKey { time: *time, name: name.to_owned() }))
        .collect();
    for a in &keys {
        for b in &keys {
            let ordering = order.compare(a, b);
            assert_eq!(ordering, order.compare(b, a).reverse());
            assert!(a != b || ordering == Ordering::Equal);
            assert!(ordering != Ordering::Equal || a.name == b.name, "names are unique");
            for c in &keys {
                assert!(order.compare(b, c) != ordering || order.compare(a, c) == ordering);
            }
        }
    }
});
