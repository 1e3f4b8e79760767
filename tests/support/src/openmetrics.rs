//! A strict parser of the OpenMetrics 1.0 text format, for the part of it that the gateway writes: no escapes, no
//! timestamps, no exemplars.

use std::collections::{HashMap, HashSet};

/// The samples of an exposition, by name with labels as written.
#[derive(Debug)]
pub struct Exposition(HashMap<String, f64>);

/// The metric family that is being parsed.
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    /// In a histogram, the last bucket: its bound and its cumulative count.
    bucket: (f64, f64),
}

impl Exposition {
    /// Parses an exposition. Any violation of the format fails the test.
    pub fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the exposition is complete");
        let mut exposition = Self(HashMap::new());
        let mut families = HashSet::new();
        let mut family = Family { name: "", kind: "", bucket: (0.0, 0.0) };
        for line in body.lines() {
            let Some(comment) = line.strip_prefix("# ") else {
                exposition.parse_sample(&mut family, line);
                continue;
            };
            let [keyword, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            match keyword {
                "HELP" => {
                    assert!(families.insert(name), "duplicate family: {line}");
                    assert!(is_name(name) && !rest.is_empty(), "{line}");
                    family = Family { name, kind: "", bucket: (0.0, 0.0) };
                }
                "TYPE" => family.kind = rest,
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                _ => panic!("{line}"),
            }
            assert_eq!(family.name, name, "{line}");
        }
        exposition
    }

    /// The value of a sample, if there is one.
    pub fn value(&self, sample: &str) -> Option<f64> {
        self.0.get(sample).copied()
    }

    fn parse_sample(&mut self, family: &mut Family<'_>, line: &str) {
        let (sample, value) = line.rsplit_once(' ').expect(line);
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        let labels = labels.strip_suffix('}').expect(line);
        for label in labels.split(',').filter(|_| !labels.is_empty()) {
            let (key, value) = label.split_once("=\"").expect(line);
            let value = value.strip_suffix('"').expect(line);
            assert!(is_name(key) && !value.contains(['"', '\\']), "{line}");
        }
        let suffix = name.strip_prefix(family.name).expect(line);
        let number: f64 = value.parse().expect(line);
        assert!(number.is_finite() && number >= 0.0, "{line}");
        match (family.kind, suffix) {
            ("gauge", "") | ("counter", "_total") => {}
            ("histogram", "_sum") => family.bucket = (f64::NEG_INFINITY, 0.0),
            ("histogram", "_count") => {}
            ("histogram", "_bucket") => {
                let (bound, rest) = labels.strip_prefix("le=\"").unwrap().split_once('"').unwrap();
                let bound: f64 = bound.trim_start_matches('+').parse().expect(line);
                assert!(bound > family.bucket.0 && number >= family.bucket.1, "{line}");
                family.bucket = (bound, number);
                if bound == f64::INFINITY {
                    let rest = rest.trim_start_matches(',');
                    let count = match rest {
                        "" => format!("{}_count", family.name),
                        labels => format!("{}_count{{{labels}}}", family.name),
                    };
                    assert_eq!(self.value(&count), Some(number), "{line}");
                }
            }
            _ => panic!("no sample of the {} `{}`: {line}", family.kind, family.name),
        }
        assert_eq!(self.0.insert(sample.to_owned(), number), None, "duplicate sample: {line}");
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
