//! Filters: one that parses says yes or no to every point, and its negation the opposite; one that does
//! not is refused in few words.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::{azure, veeam_em};
use restore_point_gateway::model::{Error, Filter, InvalidKind, RestorePoint};

/// Points of both vendors, among them a copy and one without a time.
static POINTS: LazyLock<Vec<RestorePoint>> = LazyLock::new(|| {
    let entity = include_bytes!("../corpus/veeam_xml/entity.xml");
    let point = include_bytes!("../corpus/azure_json/point.json");
    let copy = include_bytes!("../corpus/azure_json/copy.json");
    let points = [
        veeam_em::fuzzing::point(0, entity, 100),
        azure::fuzzing::point(point),
        azure::fuzzing::point(copy),
    ];
    let mut points: Vec<_> = points.map(|point| point.expect("a seed maps")).into();
    points.push(RestorePoint { point_time: None, ..points[0].clone() });
    points
});

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            let opposite = Filter::parse(&format!("NOT ({text})"));
            let both = Filter::parse(&format!("({text}) AND ({text})"));
            for point in POINTS.iter() {
                let passes = filter.matches(point);
                // Too deep or too long with the parentheses, or nothing at all to be negated.
                assert!(
                    opposite.as_ref().is_err()
                        || opposite.as_ref().is_ok_and(|o| o.matches(point) != passes)
                );
                assert!(
                    both.as_ref().is_err()
                        || both.as_ref().is_ok_and(|b| b.matches(point) == passes)
                );
            }
        }
        Err(Error::InvalidArgument { kind: InvalidKind::Filter, field, problem }) => {
            assert_eq!(field, "filter");
            assert!(problem.len() < 1000, "{} bytes", problem.len());
        }
        Err(other) => panic!("{other:?}"),
    }
});
