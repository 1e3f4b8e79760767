//! Filters: a valid filter and its negation select complementary sets of points; the error of an invalid one names the
//! field and is short.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use restore_point_gateway::backend::{azure, veeam_em};
use restore_point_gateway::model::{Error, Filter, InvalidKind, RestorePoint};

/// Points of both vendors, including a copy and a point without a time.
static POINTS: LazyLock<Vec<RestorePoint>> = LazyLock::new(|| {
    let entity = include_bytes!("../corpus/veeam_xml/entity.xml");
    let point = include_bytes!("../corpus/azure_json/point.json");
    let copy = include_bytes!("../corpus/azure_json/copy.json");
    let points = [
        veeam_em::fuzzing::point(0, entity, 100),
        azure::fuzzing::point(point),
        azure::fuzzing::point(copy),
    ];
    let mut points: Vec<_> = points.map(|point| point.expect("a valid seed")).into();
    points.push(RestorePoint { point_time: None, ..points[0].clone() });
    points
});

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            // With the parentheses the filter can be too deep or too long; an empty filter cannot be negated.
            let negation = Filter::parse(&format!("NOT ({text})"));
            let conjunction = Filter::parse(&format!("({text}) AND ({text})"));
            for point in POINTS.iter() {
                let matches = filter.matches(point);
                assert!(negation.as_ref().map_or(true, |filter| filter.matches(point) != matches));
                assert!(
                    conjunction.as_ref().map_or(true, |filter| filter.matches(point) == matches)
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
