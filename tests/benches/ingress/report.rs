//! The figures: samples by name, a table for people and JSON for programs.

use std::{
    io::{self, Write as _},
    path::Path,
};

use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::{
    arguments::Arguments,
    comparison::{Comparison, comparisons_table, write_comparisons},
    memory::mebibytes,
    system::{System, named_kafka},
};

/// Of fewer samples, the 99th percentile is just the largest.
const ENOUGH_FOR_P99: usize = 100;

/// All figures of a run of the benchmark.
#[derive(Serialize)]
pub(crate) struct Report {
    seed: u64,
    contacts: u64,
    poll_interval_ms: u128,
    connections: u32,
    build: &'static str,
    kafka: &'static str,
    processors: usize,
    #[serde(skip)]
    comparisons: Vec<Comparison>,
    figures: Vec<Figure>,
    memory: Vec<Holding>,
}

/// One figure with all its samples, in the order they were taken.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    unit: &'static str,
    samples: Vec<f64>,
}

/// What a process held at a moment, in MiB, in each run that came to it.
#[derive(Debug, Serialize)]
struct Holding {
    process: &'static str,
    moment: String,
    resident: Vec<f64>,
    peak: Vec<f64>,
}

/// What a figure comes to.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Summary {
    pub(crate) n: usize,
    pub(crate) median: f64,
    pub(crate) minimum: f64,
    pub(crate) maximum: f64,
    pub(crate) p99: f64,
}

impl Report {
    /// Without figures.
    pub(crate) fn new(arguments: &Arguments) -> Self {
        Self {
            seed: arguments.seed,
            contacts: arguments.contacts,
            poll_interval_ms: arguments.poll_interval.as_millis(),
            connections: arguments.connections,
            build: if cfg!(debug_assertions) { "dev" } else { "release" },
            kafka: match named_kafka() {
                Some(_) => "the Kafka that was named",
                None => "embedded broker",
            },
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            comparisons: Vec::new(),
            figures: Vec::new(),
            memory: Vec::new(),
        }
    }

    /// Adds samples to a figure.
    pub(crate) fn add(&mut self, name: &str, unit: &'static str, samples: impl IntoIterator<Item = f64>) {
        let present = self.figures.iter_mut().find(|figure| figure.name == name);
        match present {
            Some(figure) => figure.samples.extend(samples),
            None => self.figures.push(Figure {
                name: name.to_owned(),
                unit,
                samples: samples.into_iter().collect(),
            }),
        }
    }

    /// Adds figures beside their baseline; those of the same name go on.
    pub(crate) fn compare(&mut self, comparison: Comparison) {
        match self.comparisons.iter_mut().find(|present| present.is_of(&comparison)) {
            Some(present) => present.extend(comparison),
            None => self.comparisons.push(comparison),
        }
    }

    /// Adds the memory of each process at this moment.
    pub(crate) fn memory(&mut self, moment: &str, system: &System) -> anyhow::Result<()> {
        for (process, memory) in system.memory()? {
            let same = |holding: &Holding| holding.process == process && holding.moment == moment;
            let place = self.memory.iter().position(same).unwrap_or_else(|| {
                self.memory.push(Holding::of(process, moment));
                self.memory.len() - 1
            });
            self.memory[place].resident.push(mebibytes(memory.resident));
            self.memory[place].peak.push(mebibytes(memory.peak));
        }
        Ok(())
    }

    /// Prints what was measured how, then the figures, then the memory.
    pub(crate) fn print(&self) -> io::Result<()> {
        writeln!(
            io::stdout(),
            "{} contacts of seed {}, {} build, {}, {} processors, poll interval {} ms\n\n{}\n\n{}\n\n{}",
            self.contacts,
            self.seed,
            self.build,
            self.kafka,
            self.processors,
            self.poll_interval_ms,
            comparisons_table(&self.comparisons),
            figures_table(&self.figures),
            memory_table(&self.memory)
        )
    }

    /// Writes what stands beside a baseline.
    pub(crate) fn write_comparisons(&self, file: &Path) -> anyhow::Result<()> {
        write_comparisons(&self.comparisons, file)
    }

    /// Writes everything, samples included.
    pub(crate) fn write_json(&self, file: &Path) -> anyhow::Result<()> {
        let mut json = serde_json::to_value(self)?;
        for (figure, json) in self
            .figures
            .iter()
            .zip(json["figures"].as_array_mut().into_iter().flatten())
        {
            json["summary"] = serde_json::to_value(Summary::of(&figure.samples))?;
        }
        std::fs::write(file, format!("{json:#}\n"))?;
        Ok(())
    }
}

impl Holding {
    fn of(process: &'static str, moment: &str) -> Self {
        Self {
            process,
            moment: moment.to_owned(),
            resident: Vec::new(),
            peak: Vec::new(),
        }
    }
}

impl Summary {
    pub(crate) fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let n = sorted.len();
        Self {
            n,
            median: f64::midpoint(at(n.saturating_sub(1) / 2), at(n / 2)),
            minimum: at(0),
            maximum: at(n.saturating_sub(1)),
            // The nearest rank: the least sample that 99 % of all do not exceed.
            p99: at((n * 99).div_ceil(100).saturating_sub(1)),
        }
    }
}

/// Tells on standard error what goes on.
pub(crate) fn say(what: &str) {
    // Whoever closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "{what}");
}

fn figures_table(figures: &[Figure]) -> Table {
    let mut table = table(&["Figure", "Unit", "n", "Median", "Least", "Most", "p99"]);
    for figure in figures {
        let summary = Summary::of(&figure.samples);
        let mut row = vec![
            Cell::new(&figure.name),
            Cell::new(figure.unit),
            right(&summary.n.to_string()),
        ];
        row.extend([summary.median, summary.minimum, summary.maximum].map(|number| right(&rounded(number))));
        row.extend((summary.n >= ENOUGH_FOR_P99).then(|| right(&rounded(summary.p99))));
        table.add_row(row);
    }
    table
}

fn memory_table(memory: &[Holding]) -> Table {
    let mut table = table(&[
        "Memory of",
        "When",
        "n",
        "Resident, median, MiB",
        "Peak so far, most, MiB",
    ]);
    let mut by_process: Vec<&Holding> = memory.iter().collect();
    by_process.sort_by_key(|holding| holding.process);
    for holding in by_process {
        let (resident, peak) = (Summary::of(&holding.resident), Summary::of(&holding.peak));
        table.add_row(vec![
            Cell::new(holding.process),
            Cell::new(&holding.moment),
            right(&resident.n.to_string()),
            right(&rounded(resident.median)),
            right(&rounded(peak.maximum)),
        ]);
    }
    table
}

pub(crate) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(header.iter().copied());
    table
}

pub(crate) fn right(text: &str) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

pub(crate) fn rounded(number: f64) -> String {
    match number.abs() {
        large if large >= 100.0 => format!("{number:.0}"),
        middle if middle >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.3}"),
    }
}
