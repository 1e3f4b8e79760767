//! Arbitrary bytes in the place of Enterprise Manager's XML: entities, pages of queries, lists of references, error
//! responses, logon sessions. Every reader reads every document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::veeam_em::fuzzing as veeam;
use restore_point_gateway::model::{
    PointRef, RestorePoint, State, VeeamPointKind, VendorProperties,
};

const MAX_ITEMS: usize = 100;

fuzz_target!(|document: &[u8]| {
    let whole = document.len();
    // The pieces in which a document arrives must not matter.
    let piece = 1 + document.iter().map(|byte| usize::from(*byte)).sum::<usize>() % 61;

    for kind in 0..veeam::KINDS {
        let point = veeam::point(kind, document, whole);
        assert_eq!(point, veeam::point(kind, document, piece));
        if let Some(point) = &point {
            check(point, whole);
            let raw = point.raw.as_ref().map(|raw| raw.body.as_bytes()).unwrap_or_default();
            let again = veeam::point(kind, raw, raw.len()).expect("a raw body can be read");
            assert_eq!(again.name, point.name);
            assert_eq!(again.state, point.state);
        }

        let collection = veeam::collection(kind, document, whole);
        assert_eq!(collection, veeam::collection(kind, document, piece));
        if let Some(collection) = collection {
            assert!(collection.vendor_id.len() + collection.display_name.len() <= whole);
        }

        let page = veeam::query_page(kind, document, whole, MAX_ITEMS);
        assert_eq!(page, veeam::query_page(kind, document, piece, MAX_ITEMS));
        if let Some(page) = page {
            assert!(page.items <= MAX_ITEMS && page.points.len() <= page.items);
            let raw = page.points.iter().filter_map(|point| point.raw.as_ref());
            assert!(raw.map(|raw| raw.body.len()).sum::<usize>() <= whole);
            page.points.iter().for_each(|point| check(point, whole));
        }
    }

    let all = veeam::references(document, whole, None, usize::MAX);
    assert_eq!(all, veeam::references(document, piece, None, usize::MAX));
    if let Some(all) = all {
        // Pages of two add up to the same list.
        let mut paged = Vec::new();
        loop {
            let next = veeam::references(document, whole, paged.last().copied(), 2);
            let next = next.expect("the document was read before");
            if next.is_empty() {
                break;
            }
            paged.extend(next);
        }
        assert_eq!(paged, all);
    }

    let message = veeam::error_message(document);
    assert!(message.len() < 700 && !message.contains('\n'));
    assert_eq!(veeam::logon(document, whole), veeam::logon(document, piece));
});

fn check(point: &RestorePoint, size: usize) {
    let name = point.name.to_string();
    let parsed = PointRef::parse(&name, "name").expect("the name of a point can be parsed");
    assert_eq!(parsed.to_string(), name);

    let VendorProperties::Veeam(veeam) = &point.vendor else { panic!("another vendor") };
    // Only cloud replica points have a state of their own; the others are ready if they are listed.
    let stateless = veeam.kind != VeeamPointKind::CloudVmReplicaPoint && veeam.raw_state.is_empty();
    assert!(point.state != State::Ready || veeam.raw_state == "Ready" || stateless);
    assert!(point.state != State::Creating || veeam.kind == VeeamPointKind::VmRestorePoint);
    assert_eq!(point.state.is_usable(), point.state == State::Ready);
    assert!(point.state_reason.len() < 700);

    let texts = [&point.vendor_id, &point.display_name, &veeam.raw_state, &veeam.replica];
    assert!(texts.iter().map(|text| text.len()).sum::<usize>() <= size);
    assert!(point.source.vm_name.len() <= size);
}
