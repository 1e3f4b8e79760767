//! Resource names: one that parses prints to itself and parses again; one that does not is refused in few
//! words, by the field that it came in.

#![no_main]

use std::fmt::Display;

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::azure::fuzzing as azure;
use restore_point_gateway::model::{
    BackendId, CollectionName, Error, InvalidKind, ListParent, PointRef,
};

fuzz_target!(|name: &str| {
    check(name, BackendId::parse);
    check(name, CollectionName::parse);
    check(name, ListParent::parse);
    check(name, PointRef::parse);
    if let Some((segment, from_arm)) = azure::collection_id(name) {
        assert_eq!(azure::collection_id(&segment).map(|(again, _)| again), Some(segment.clone()));
        assert_eq!(from_arm, Some(segment));
    }
});

fn check<T: Display + PartialEq>(name: &str, parse: fn(&str, &str) -> Result<T, Error>) {
    match parse(name, "field") {
        Ok(parsed) => {
            assert_eq!(parsed.to_string(), name);
            assert!(parse(&parsed.to_string(), "field").is_ok_and(|again| again == parsed));
            assert!(!name.contains(['?', '#', '\\', '\0', '\n']));
        }
        Err(Error::InvalidArgument { kind: InvalidKind::Name, field, problem }) => {
            assert_eq!(field, "field");
            assert!(problem.len() < 1000);
        }
        Err(other) => panic!("{other:?}"),
    }
}
