//! Resource names: a valid name prints as the parsed text; the error of an invalid one names the field and is short.

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
    if let Some((id, id_from_arm)) = azure::collection_id(name) {
        assert_eq!(azure::collection_id(&id).map(|(reparsed, _)| reparsed), Some(id.clone()));
        assert_eq!(id_from_arm, Some(id));
    }
});

fn check<T: Display + PartialEq>(name: &str, parse: fn(&str, &str) -> Result<T, Error>) {
    match parse(name, "field") {
        Ok(parsed) => {
            assert_eq!(parsed.to_string(), name);
            assert!(parse(&parsed.to_string(), "field").is_ok_and(|reparsed| reparsed == parsed));
            assert!(!name.contains(['?', '#', '\\', '\0', '\n']));
        }
        Err(Error::InvalidArgument { kind: InvalidKind::Name, field, problem }) => {
            assert_eq!(field, "field");
            assert!(problem.len() < 1000);
        }
        Err(other) => panic!("{other:?}"),
    }
}
