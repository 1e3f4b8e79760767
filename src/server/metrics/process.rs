//! What the process itself takes, as Linux tells it; elsewhere nothing.

use std::fs;

/// Ticks in which the kernel tells CPU times to programs: USER_HZ, the same on every architecture that this
/// program is built for, whatever the kernel itself ticks by.
const TICKS_A_SECOND: f64 = 100.0;

/// Memory that is in use and not swapped out.
pub(super) fn resident_bytes() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

/// CPU time of all threads, in the kernel too.
pub(super) fn cpu_seconds() -> Option<f64> {
    cpu(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// Told in KiB here; `statm` counts pages, whose size no file tells.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The 14th and 15th field. The second is the program's name in parentheses, which may hold anything.
fn cpu(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11).map(|field| field.parse::<f64>().ok());
    let (user, system) = (fields.next()??, fields.next()??);
    Some((user + system) / TICKS_A_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read() {
        assert_eq!(resident("Name:\trpg\nVmHWM:\t  9 kB\nVmRSS:\t    1234 kB\n"), Some(1_263_616));
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 900 0 1 0 150 25 0 0 20 0 4 0 7 1000 90";
        assert_eq!(cpu(stat), Some(1.75));
        assert_eq!((resident("VmRSS: much"), cpu("42 (a) S")), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        assert!(cpu_seconds().is_some());
    }
}
