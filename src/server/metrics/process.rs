//! Memory and CPU time of the process, from procfs (proc(5)). None on systems without it.

use std::fs;

/// The unit of CPU times in procfs, USER_HZ: 100 on every architecture that this program is built for, whatever the
/// kernel's own tick is.
const TICKS_PER_SECOND: f64 = 100.0;

/// The resident set size.
pub(super) fn resident_bytes() -> Option<u64> {
    parse_resident(&fs::read_to_string("/proc/self/status").ok()?)
}

/// User and system CPU time of all threads.
pub(super) fn cpu_seconds() -> Option<f64> {
    parse_cpu(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// VmRSS of `/proc/self/status`, in KiB. `statm` would give pages, whose size procfs does not give.
fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// utime and stime of `/proc/self/stat`, fields 14 and 15. Field 2 is the program's name in parentheses, which may
/// hold anything.
fn parse_cpu(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11).map(|field| field.parse::<f64>().ok());
    let (user, system) = (fields.next()??, fields.next()??);
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_procfs_are_parsed() {
        assert_eq!(
            parse_resident("Name:\trpg\nVmHWM:\t  9 kB\nVmRSS:\t    1234 kB\n"),
            Some(1_263_616)
        );
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 900 0 1 0 150 25 0 0 20 0 4 0 7 1000 90";
        assert_eq!(parse_cpu(stat), Some(1.75));
        assert_eq!((parse_resident("VmRSS: much"), parse_cpu("42 (a) S")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_uses_memory_and_cpu() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        assert!(cpu_seconds().is_some());
    }
}
