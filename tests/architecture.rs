//! The layers of ARCHITECTURE.md, held against the sources.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use restore_point_test_support::sources::{ModulePath, Sources};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The table of ARCHITECTURE.md: each room of `src/`, and the rooms that it uses.
fn layers() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| module | purpose | uses |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let names = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let layers: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<_> = row.trim_matches('|').split('|').collect();
            let [module, _, uses] = cells[..] else { panic!("a row has three cells: {row}") };
            let module = names(module);
            let [module] = &module[..] else { panic!("a row has one module: {row}") };
            (module.clone(), names(uses).into_iter().collect())
        })
        .collect();
    assert!(layers.len() > 8, "the table of modules is found");
    layers
}

fn name(module: &[String]) -> String {
    module.join("::")
}

/// The row that a module belongs to: the longest that it begins with.
fn layer<'a>(
    layers: &'a BTreeMap<String, BTreeSet<String>>,
    module: &ModulePath,
) -> Option<&'a str> {
    let prefixes = (1..=module.len()).rev().map(|length| name(&module[..length]));
    prefixes
        .filter_map(|prefix| layers.get_key_value(&prefix))
        .map(|(name, _)| name.as_str())
        .next()
}

#[test]
fn every_module_uses_only_what_the_table_says() {
    let layers = layers();
    let sources = Sources::parse(&Path::new(ROOT).join("src"));
    let mut problems = Vec::new();
    let mut needed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in sources.modules.iter().filter(|module| !module.is_empty()) {
        if layer(&layers, module).is_none() && module != &["main"] {
            problems.push(format!("`{}` is in no row of the table", name(module)));
        }
    }
    for usage in &sources.uses {
        let (Some(from), Some(to)) = (layer(&layers, &usage.from), layer(&layers, &usage.to))
        else {
            continue;
        };
        if from == to {
            continue;
        }
        needed.entry(from).or_default().insert(to);
        if !layers[from].contains(to) {
            problems.push(format!("`{}` must not use `{}`: {}", name(&usage.from), to, usage.path));
        }
    }
    for (layer, allowed) in &layers {
        let needed = needed.get(layer.as_str()).cloned().unwrap_or_default();
        let idle = allowed.iter().filter(|allowed| !needed.contains(allowed.as_str()));
        problems.extend(idle.map(|idle| format!("`{layer}` does not use `{idle}`")));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// Groups of modules that use each other in a circle.
fn circles(sources: &Sources) -> Vec<BTreeSet<String>> {
    let mut uses: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> = BTreeMap::new();
    for usage in sources.uses.iter().filter(|usage| !usage.is_re_export_of_part) {
        uses.entry(&usage.from).or_default().insert(&usage.to);
    }
    let reachable = |start: &ModulePath| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&ModulePath> = uses.get(start).into_iter().flatten().copied().collect();
        while let Some(module) = next.pop() {
            if seen.insert(module) {
                next.extend(uses.get(module).into_iter().flatten().copied());
            }
        }
        seen
    };
    let reach: BTreeMap<_, _> =
        sources.modules.iter().map(|module| (module, reachable(module))).collect();
    let circles: BTreeSet<BTreeSet<String>> = sources
        .modules
        .iter()
        .map(|module| {
            let mutual = reach[module].iter().filter(|other| reach[**other].contains(module));
            mutual.map(|other| name(other)).collect::<BTreeSet<_>>()
        })
        .filter(|circle| circle.len() > 1)
        .collect();
    circles.into_iter().collect()
}

#[test]
fn files_use_each_other_one_way() {
    for folder in ["src", "sandbox/src"] {
        let sources = Sources::parse(&Path::new(ROOT).join(folder));
        let circles = circles(&sources);
        let edges = |circle: &BTreeSet<String>| {
            let inside = sources.uses.iter().filter(|usage| {
                circle.contains(&name(&usage.from)) && circle.contains(&name(&usage.to))
            });
            let lines = inside.map(|usage| format!("  {} -> {}", name(&usage.from), usage.path));
            lines.collect::<Vec<_>>().join("\n")
        };
        let shown: Vec<_> =
            circles.iter().map(|circle| format!("{circle:?}\n{}", edges(circle))).collect();
        assert!(circles.is_empty(), "{folder}:\n{}", shown.join("\n"));
    }
}

#[test]
fn statuses_are_made_in_status_rs_and_in_the_server_only() {
    let sources = Sources::parse(&Path::new(ROOT).join("src"));
    let made: Vec<_> = sources
        .associated_calls
        .iter()
        .filter(|(module, owner, _)| {
            owner == "Status" && module != &["status"] && module[0] != "server"
        })
        .map(|(module, owner, function)| format!("{}: {owner}::{function}", name(module)))
        .collect();
    assert!(made.is_empty(), "{made:#?}");
}
