//! Names read back as they were written, and nothing else is a name.

use proptest::prelude::*;
use restore_point_gateway::model::{
    BackendId, CollectionName, Filter, ListParent, OrderBy, PointRef, RestorePointName, Segment,
};

fn backend() -> impl Strategy<Value = BackendId> {
    "[a-z0-9][a-z0-9-]{0,62}".prop_map(|id| BackendId::new(&id).unwrap())
}

/// What vendors take in names, and what they might: blanks, letters of any script, punctuation.
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
    fn a_backend_reads_back(backend in backend()) {
        prop_assert_eq!(BackendId::parse(&backend.to_string(), "parent").unwrap(), backend);
    }

    #[test]
    fn a_collection_reads_back(name in collection()) {
        prop_assert_eq!(CollectionName::parse(&name.to_string(), "name").unwrap(), name);
    }

    #[test]
    fn a_point_reads_back(collection in collection(), restore_point in id()) {
        let name = RestorePointName { collection, restore_point };
        let point = PointRef::parse(&name.to_string(), "name").unwrap();
        prop_assert_eq!(&point, &PointRef::from(&name));
        prop_assert_eq!(point.to_string(), name.to_string());
    }

    #[test]
    fn a_point_in_any_collection_reads_back(
        backend in backend(),
        collection in segment(),
        restore_point in id(),
    ) {
        let point = PointRef { backend, collection, restore_point };
        prop_assert_eq!(PointRef::parse(&point.to_string(), "name").unwrap(), point);
    }

    #[test]
    fn a_parent_reads_back(backend in backend(), collection in segment()) {
        let parent = ListParent { backend: Segment::Id(backend.as_str().to_owned()), collection };
        prop_assert_eq!(ListParent::parse(&parent.to_string(), "parent").unwrap(), parent);
    }

    #[test]
    fn whatever_is_taken_for_a_name_is_written_the_same(text in "\\PC{0,80}|(backends/[^/]{0,9}/collections/[^/]{0,9}/restorePoints/[^/]{0,9})") {
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
    fn no_text_breaks_a_parser(text in any::<String>()) {
        // The verdict does not matter here, that there is one does.
        prop_assert!(Filter::parse(&text).is_ok() || Filter::parse(&text).is_err());
        prop_assert!(OrderBy::parse(&text).is_ok() || OrderBy::parse(&text).is_err());
        prop_assert!(PointRef::parse(&text, "name").is_ok() || PointRef::parse(&text, "name").is_err());
    }
}

#[test]
fn the_wildcard_is_no_backend_and_one_collection_of_all_is_no_parent() {
    assert!(BackendId::parse("backends/-", "parent").is_err());
    assert!(CollectionName::parse("backends/-/collections/-", "name").is_err());
    assert!(ListParent::parse("backends/-/collections/x", "parent").is_err());
    assert!(ListParent::parse("backends/-/collections/-", "parent").is_ok());
}
