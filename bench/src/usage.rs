//! What a process has used up, as the kernel says.

use std::fs;

use anyhow::{Context as _, Result};

/// Totals of one process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time in user and kernel mode, in seconds.
    pub(crate) cpu: f64,
    /// Resident memory, in MiB.
    pub(crate) resident: f64,
    /// The most it ever was, in MiB.
    pub(crate) peak: f64,
}

impl Usage {
    /// Of the process `id`, now.
    pub(crate) fn of(id: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The second field is the program's name in parentheses, and may contain anything.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| -> Result<f64> {
            Ok(fields.get(index).context("/proc/…/stat is short")?.parse()?)
        };
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        Ok(Self {
            cpu: (ticks(USER)? + ticks(SYSTEM)?) / rustix::param::clock_ticks_per_second() as f64,
            resident: mebibytes(&status, "VmRSS:")?,
            peak: mebibytes(&status, "VmHWM:")?,
        })
    }
}

/// The fields `utime` and `stime`, counted from the one after the name (proc_pid_stat(5)).
const USER: usize = 11;
const SYSTEM: usize = 12;

fn mebibytes(status: &str, key: &str) -> Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes / 1024.0)
}
