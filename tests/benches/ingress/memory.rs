//! The memory and processor time of a process, as the kernel counts them.

use std::time::Duration;

use anyhow::Context as _;

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// The most there has been.
    pub(crate) peak: u64,
}

impl Memory {
    /// The memory of the process with this id; only Linux tells.
    pub(crate) fn of(id: u32) -> anyhow::Result<Self> {
        let file = format!("/proc/{id}/status");
        let status = std::fs::read_to_string(&file).with_context(|| format!("{file} cannot be read"))?;
        let bytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let kibibytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
            kibibytes
                .map(|kibibytes| kibibytes * 1024)
                .with_context(|| format!("{file} has no {field}"))
        };
        Ok(Self {
            resident: bytes("VmRSS:")?,
            peak: bytes("VmHWM:")?,
        })
    }
}

/// How long the process with this id has been on a processor so far; only Linux tells.
pub(crate) fn processor_time(id: u32) -> anyhow::Result<Duration> {
    /// Of the clock that the kernel counts in for everybody, whatever its own.
    const TICKS_PER_SECOND: u64 = 100;
    let file = format!("/proc/{id}/stat");
    let stat = std::fs::read_to_string(&file).with_context(|| format!("{file} cannot be read"))?;
    // Behind the name, which may hold anything: state, ten numbers, then the ticks in user mode and in the kernel.
    let (_, fields) = stat
        .rsplit_once(')')
        .with_context(|| format!("{file} names no program"))?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
