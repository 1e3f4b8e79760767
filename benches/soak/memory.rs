//! The resident memory of this process, as Linux reports it in proc_pid_status(5).

/// The resident memory now, in MiB.
pub(crate) fn resident() -> f64 {
    field("VmRSS:")
}

/// The most that was ever resident, in MiB.
pub(crate) fn peak() -> f64 {
    field("VmHWM:")
}

fn field(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
