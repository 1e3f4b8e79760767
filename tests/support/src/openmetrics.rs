//! A page of figures, read as strictly as OpenMetrics is written, as far as the gateway writes it: no
//! escapes, no timestamps, no exemplars.

use std::collections::{HashMap, HashSet};

/// The samples of a page by their names with labels, as they stand there.
#[derive(Debug)]
pub struct Page(HashMap<String, f64>);

/// What is being read.
struct Family<'a> {
    name: &'a str,
    kind: &'a str,
    /// Of the histogram that is being read: the last bound, and what was counted up to it.
    bucket: (f64, f64),
}

impl Page {
    /// Reads a page; whatever is wrong with it fails the test.
    pub fn read(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the page is whole");
        let mut page = Self(HashMap::new());
        let mut known = HashSet::new();
        let mut family = Family { name: "", kind: "", bucket: (0.0, 0.0) };
        for line in body.lines() {
            let Some(comment) = line.strip_prefix("# ") else {
                page.take(&mut family, line);
                continue;
            };
            let [word, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            match word {
                "HELP" => {
                    assert!(known.insert(name), "told twice: {line}");
                    assert!(is_name(name) && !rest.is_empty(), "{line}");
                    family = Family { name, kind: "", bucket: (0.0, 0.0) };
                }
                "TYPE" => family.kind = rest,
                "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{line}"),
                _ => panic!("{line}"),
            }
            assert_eq!(family.name, name, "{line}");
        }
        page
    }

    /// The value of one sample, if it is there.
    pub fn value(&self, sample: &str) -> Option<f64> {
        self.0.get(sample).copied()
    }

    fn take(&mut self, family: &mut Family<'_>, line: &str) {
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
            _ => panic!("no sample of the {} {}: {line}", family.kind, family.name),
        }
        assert_eq!(self.0.insert(sample.to_owned(), number), None, "told twice: {line}");
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
