//! Resource names: each parses to the value it was printed from, and prints as the text it was parsed from.

use proptest::prelude::*;
use restore_point_gateway::model::{
    BackendId, CollectionName, Filter, ListParent, OrderBy, PointRef, RestorePointName, Segment,
};

fn backend() -> impl Strategy<Value = BackendId> {
    "[a-z0-9][a-z0-9-]{0,62}".prop_map(|id| BackendId::new(&id).unwrap())
}

/// Characters that vendors accept in names, and more: blanks, letters of several scripts, punctuation.
fn id() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9ÄÖüß名 ~_.()&%+=@!'-]{1,60}"
        .prop_filter("reserved", |id| !["-", ".", ".."].contains(&id.as_str()))
}

fn collection() -> impl Strategy<Value = CollectionName> {
    (backend(), id()).prop_map(|(backend, collection)| CollectionName { backend, collection })
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![Just(Segment::Any), id().prop_map(Segment::Id)]
}

proptest! {
    #[test]
    fn a_printed_backend_parses(backend in backend()) {
        prop_assert_eq!(BackendId::parse(&backend.to_string(), "parent").unwrap(), backend);
    }

    #[test]
    fn a_printed_collection_parses(name in collection()) {
        prop_assert_eq!(CollectionName::parse(&name.to_string(), "name").unwrap(), name);
    }

    #[test]
    fn a_printed_point_parses(collection in collection(), restore_point in id()) {
        let name = RestorePointName { collection, restore_point };
        let point = PointRef::parse(&name.to_string(), "name").unwrap();
        prop_assert_eq!(&point, &PointRef::from(&name));
        prop_assert_eq!(point.to_string(), name.to_string());
    }

    #[test]
    fn a_printed_point_with_a_wildcard_parses(
        backend in backend(),
        collection in segment(),
        restore_point in id(),
    ) {
        let point = PointRef { backend, collection, restore_point };
        prop_assert_eq!(PointRef::parse(&point.to_string(), "name").unwrap(), point);
    }

    #[test]
    fn a_printed_parent_parses(backend in backend(), collection in segment()) {
        let parent = ListParent { backend: Segment::Id(backend.as_str().to_owned()), collection };
        prop_assert_eq!(ListParent::parse(&parent.to_string(), "parent").unwrap(), parent);
    }

    #[test]
    fn a_parsed_name_prints_as_the_same_text(text in "\\PC{0,80}|(backends/[^/]{0,9}/collections/[^/]{0,9}/restorePoints/[^/]{0,9})") {
        if let Ok(point) = PointRef::parse(&text, "name") {
            prop_assert_eq!(point.to_string(), text.clone());
        }
        if let Ok(collection) = CollectionName::parse(&text, "name") {
            prop_assert_eq!(collection.to_string(), text.clone());
        }
        if let Ok(parent) = ListParent::parse(&text, "parent") {
            prop_assert_eq!(parent.to_string(), text);
        }
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        // Either result will do.
        prop_assert!(Filter::parse(&text).is_ok() || Filter::parse(&text).is_err());
        prop_assert!(OrderBy::parse(&text).is_ok() || OrderBy::parse(&text).is_err());
        prop_assert!(PointRef::parse(&text, "name").is_ok() || PointRef::parse(&text, "name").is_err());
    }
}

#[test]
fn a_wildcard_backend_requires_a_parent_with_a_wildcard_collection() {
    assert!(BackendId::parse("backends/-", "parent").is_err());
    assert!(CollectionName::parse("backends/-/collections/-", "name").is_err());
    assert!(ListParent::parse("backends/-/collections/x", "parent").is_err());
    assert!(ListParent::parse("backends/-/collections/-", "parent").is_ok());
}
