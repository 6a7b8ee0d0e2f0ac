//! A figure beside its baseline, run by run, and the bar it is held to.

use std::{fmt, path::Path};

use comfy_table::Table;
use serde::Serialize;

use crate::report::{Summary, right, rounded, table};

/// Whether a median of ours, beside that of the baseline, meets a bar.
type IsMet = Box<dyn Fn(f64, f64) -> bool>;

/// A figure beside its baseline.
pub(crate) struct Comparison {
    name: String,
    unit: &'static str,
    ours: Vec<f64>,
    baseline: Vec<f64>,
    /// The most that the measured service held in each run.
    mebibytes: Vec<f64>,
    bar: Option<(&'static str, IsMet)>,
}

/// A comparison as `bench.json` holds it.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    unit: &'static str,
    ours: Spread,
    baseline: Spread,
    ratio: f64,
    rss_mib: f64,
}

#[derive(Serialize)]
struct Spread {
    n: usize,
    median: f64,
    min: f64,
    max: f64,
}

impl Comparison {
    /// Without runs.
    pub(crate) fn new(name: impl Into<String>, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            unit,
            ours: Vec::new(),
            baseline: Vec::new(),
            mebibytes: Vec::new(),
            bar: None,
        }
    }

    /// Holds it to a bar.
    pub(crate) fn with_bar(mut self, bar: &'static str, is_met: impl Fn(f64, f64) -> bool + 'static) -> Self {
        self.bar = Some((bar, Box::new(is_met)));
        self
    }

    /// Adds a run.
    pub(crate) fn add(&mut self, ours: f64, baseline: f64) {
        self.ours.push(ours);
        self.baseline.push(baseline);
    }

    /// Adds the most that the measured service held in a run, in MiB.
    pub(crate) fn hold(&mut self, mebibytes: f64) {
        self.mebibytes.push(mebibytes);
    }

    /// Whether it is of the same figure.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        self.name == other.name
    }

    /// Adds the runs of another one.
    pub(crate) fn extend(&mut self, other: Self) {
        self.ours.extend(other.ours);
        self.baseline.extend(other.baseline);
        self.mebibytes.extend(other.mebibytes);
    }

    fn entry(&self) -> Entry<'_> {
        let (ours, baseline) = (Spread::of(&self.ours), Spread::of(&self.baseline));
        Entry {
            name: &self.name,
            unit: self.unit,
            ratio: ours.median / baseline.median,
            ours,
            baseline,
            rss_mib: Summary::of(&self.mebibytes).maximum,
        }
    }
}

impl Spread {
    fn of(samples: &[f64]) -> Self {
        let summary = Summary::of(samples);
        Self {
            n: summary.n,
            median: summary.median,
            min: summary.minimum,
            max: summary.maximum,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max, .. } = self;
        write!(
            formatter,
            "{} ({} to {})",
            rounded(*median),
            rounded(*min),
            rounded(*max)
        )
    }
}

/// All comparisons, for people.
pub(crate) fn comparisons_table(comparisons: &[Comparison]) -> Table {
    let mut table = table(&[
        "Figure",
        "Unit",
        "n",
        "Ours, median (least to most)",
        "Baseline, the same",
        "Ratio",
        "Peak RSS, MiB",
        "Bar",
        "Met",
    ]);
    for comparison in comparisons {
        let entry = comparison.entry();
        let bar = comparison.bar.as_ref();
        let is_met = |(_, is_met): &(_, IsMet)| {
            if is_met(entry.ours.median, entry.baseline.median) {
                "yes"
            } else {
                "no"
            }
        };
        table.add_row(vec![
            entry.name.into(),
            entry.unit.into(),
            right(&entry.ours.n.to_string()),
            right(&entry.ours.to_string()),
            right(&entry.baseline.to_string()),
            right(&rounded(entry.ratio)),
            right(&rounded(entry.rss_mib)),
            bar.map_or("", |(bar, _)| bar).into(),
            bar.map_or("", is_met).into(),
        ]);
    }
    table
}

/// All comparisons, for programs.
pub(crate) fn write_comparisons(comparisons: &[Comparison], file: &Path) -> anyhow::Result<()> {
    let entries: Vec<Entry<'_>> = comparisons.iter().map(Comparison::entry).collect();
    if let Some(directory) = file.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&entries)?))?;
    Ok(())
}
