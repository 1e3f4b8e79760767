//! The tables of the documentation name what exists, and all of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use prost::Message;
use restore_point_gateway::proto::FILE_DESCRIPTOR_SET;
use restore_point_gateway::proto::restore_point::State;
use restore_point_gateway::proto::watch_status_response::Event;

use crate::fixture::{RunningProgram, program};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What stands in backticks in one column of the table with this header.
fn column(page: &str, header: &str, column: usize) -> BTreeSet<String> {
    let page = read(page);
    let rows = page.lines().skip_while(|line| *line != header).skip(2);
    let cells = rows
        .take_while(|line| line.starts_with('|'))
        .map(|row| row.split('|').nth(column + 1).unwrap().to_owned());
    let names: BTreeSet<_> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(!names.is_empty(), "no table: {header}");
    names
}

fn set<T: Into<String>>(names: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    names.into_iter().map(Into::into).collect()
}

/// All values of an enum of the contract but the unspecified one.
fn values<'a>(name: impl Fn(i32) -> Option<&'a str>) -> BTreeSet<String> {
    set((1..).map_while(name))
}

#[test]
fn rpcs() {
    let files = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let services = files.file.iter().flat_map(|file| &file.service);
    let service = services.filter(|service| service.name() == "RestorePointService");
    let methods = service.flat_map(|service| &service.method).map(|method| method.name());
    let header = "| RPC | Azure | Veeam Enterprise Manager |";
    assert_eq!(column("README.md", header, 0), set(methods));
}

#[test]
fn states_and_events() {
    let states = values(|number| Some(State::try_from(number).ok()?.as_str_name()));
    assert_eq!(column("docs/concepts.md", "| state | usable | Azure | Veeam |", 0), states);
    let events = values(|number| Some(Event::try_from(number).ok()?.as_str_name()));
    assert_eq!(column("docs/concepts.md", "| event | meaning |", 0), events);
}

#[tokio::test]
async fn metrics() {
    let mut command = program();
    command.args(["sandbox", "--listen", "127.0.0.1:0", "--points", "0"]);
    let mut sandbox = RunningProgram::start(&mut command);
    let url = sandbox.announcement("metrics").await;
    let page = reqwest::get(url).await.unwrap().text().await.unwrap();
    let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names = families.map(|family| match family.split_once(' ').unwrap() {
        (name, "counter") => format!("{name}_total"),
        (name, _) => name.to_owned(),
    });
    let header = "| metric | type, labels | meaning |";
    assert_eq!(column("docs/operations.md", header, 0), set(names));
}

/// Literals in capitals with an underscore, in the sources that make reasons and rules, and the reasons of one word.
#[test]
fn error_reasons() {
    let mut sources = vec!["src/status.rs".to_owned()];
    for folder in ["src/server", "src/backend/azure", "src/backend/veeam_em"] {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files = names.filter(|name| name.ends_with(".rs") && name != "call_metrics.rs");
        sources.extend(files.map(|name| format!("{folder}/{name}")));
    }
    let is_reason =
        |text: &str| text.contains('_') && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let mut reasons = set(["DRAINING", "INTERNAL", "OVERLOADED"]);
    for source in sources {
        let text = read(&source);
        let code = text.split("#[cfg(test)]").next().unwrap();
        reasons.extend(code.split('"').filter(|text| is_reason(text)).map(str::to_owned));
    }
    let header = "| code | reason | meaning | further details |";
    assert_eq!(column("docs/errors.md", header, 1), reasons);
}

#[test]
fn recorded_configurations_are_still_valid() {
    let releases =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")).unwrap();
    for release in releases {
        let file = release.unwrap().path().join("gateway.toml");
        let output =
            program().args(["check", "--config-only", "--config"]).arg(&file).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{}: {error}", file.display());
    }
}
