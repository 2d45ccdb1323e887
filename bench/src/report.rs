//! What was measured, in tables.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::contestant::Contestant;
use crate::figures::{Figure, median};
use crate::plot;
use crate::trial::Trial;

/// Prints what came of one scenario, and writes it down in `directory`.
pub(crate) fn write(trials: &[Trial], directory: &Path) -> Result<()> {
    let Some(scenario) = trials.first().map(|trial| trial.scenario) else {
        return Ok(());
    };
    fs::create_dir_all(directory)?;
    let table = table(trials);
    let table = format!("## {scenario}, {} requests a run\n\n{table}", trials[0].sent);
    println!("\n{table}");
    fs::write(directory.join(format!("{scenario}.md")), table)?;
    fs::write(directory.join(format!("{scenario}.json")), serde_json::to_vec_pretty(trials)?)?;
    if trials.iter().any(|trial| !trial.waits.is_empty()) {
        let mut csv = File::create(directory.join(format!("{scenario}.csv")))?;
        writeln!(csv, "contestant,pair,sent_s,waited_s")?;
        for trial in trials {
            for (sent, waited) in &trial.waits {
                writeln!(csv, "{},{},{sent:.6},{waited:.6}", trial.contestant.label(), trial.pair)?;
            }
        }
        plot::waits(trials, &directory.join(format!("{scenario}.svg")))?;
    }
    Ok(())
}

/// A row of medians of complete runs for each contestant, and what countersign's figures are of the others', pair by pair.
fn table(trials: &[Trial]) -> String {
    let mut contestants: Vec<Contestant> = trials.iter().map(|trial| trial.contestant).collect();
    contestants.sort();
    contestants.dedup();
    let mut figures: Vec<Figure> = trials.iter().flat_map(|trial| trial.figures.kinds()).collect();
    figures.sort();
    figures.dedup();
    let mut table = String::from("| median of runs | complete |");
    for figure in &figures {
        let _ = write!(table, " {} |", figure.title());
    }
    table.push_str("\n|---|---|");
    table.push_str(&"---|".repeat(figures.len()));
    table.push('\n');
    for contestant in &contestants {
        table.push_str(&row(*contestant, trials, &figures));
    }
    for other in contestants.into_iter().filter(|contestant| *contestant != Contestant::Countersign) {
        table.push_str(&ratios(other, trials, &figures));
    }
    table
}

fn row(contestant: Contestant, trials: &[Trial], figures: &[Figure]) -> String {
    let own: Vec<&Trial> = trials.iter().filter(|trial| trial.contestant == contestant).collect();
    let complete = own.iter().filter(|trial| trial.is_complete()).count();
    let mut row = format!("| {} | {complete} of {} |", contestant.label(), own.len());
    for figure in figures {
        let values: Vec<f64> = own
            .iter()
            .filter(|trial| trial.is_complete())
            .filter_map(|trial| trial.figures.value(*figure))
            .collect();
        let _ = match values.is_empty() {
            true => write!(row, " |"),
            false => write!(row, " {} |", rounded(median(values))),
        };
    }
    row.push('\n');
    row
}

/// Countersign's figures divided by another's. From runs in which not every request got its one certificate there are none.
fn ratios(other: Contestant, trials: &[Trial], figures: &[Figure]) -> String {
    let of = |contestant: Contestant| trials.iter().filter(move |trial| trial.contestant == contestant);
    let pairs: Vec<(&Trial, &Trial)> = of(Contestant::Countersign)
        .filter_map(|ours| Some((ours, of(other).find(|theirs| theirs.pair == ours.pair)?)))
        .collect();
    if pairs.is_empty() {
        return String::new();
    }
    let head = format!("| countersign ÷ {} |", other.label());
    if let Some((ours, theirs)) = pairs.iter().find(|(a, b)| !a.is_complete() || !b.is_complete()) {
        let trial = if ours.is_complete() { theirs } else { ours };
        let Trial { contestant, pair, issued, sent, replaced, .. } = trial;
        let who = contestant.label();
        return format!(
            "{head} no ratio: in run {pair} {who} issued {issued} of {sent}, {replaced} of them twice |\n"
        );
    }
    let mut row = format!("{head} {} pairs |", pairs.len());
    for figure in figures {
        let quotients: Vec<f64> = pairs
            .iter()
            .filter_map(|(a, b)| Some(a.figures.value(*figure)? / b.figures.value(*figure)?))
            .collect();
        let _ = match quotients.is_empty() {
            true => write!(row, " |"),
            false => write!(row, " {} |", rounded(median(quotients))),
        };
    }
    row.push('\n');
    row
}

/// Three significant digits, and no more than three decimals.
fn rounded(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;

    fn trial(contestant: Contestant, pair: usize, issued: usize, rate: f64) -> Trial {
        let mut figures = Figures::default();
        figures.set(Figure::Rate, rate);
        Trial { scenario: "s", contestant, pair, sent: 10, issued, replaced: 0, figures, waits: Vec::new() }
    }

    #[test]
    fn ratios_are_taken_within_pairs() {
        let (ours, theirs) = (Contestant::Countersign, Contestant::KubeControllerManager);
        let trials = [
            trial(ours, 1, 10, 20.0),
            trial(theirs, 1, 10, 10.0),
            trial(theirs, 2, 10, 1.0),
            trial(ours, 2, 10, 4.0),
        ];
        let table = table(&trials);
        assert!(table.contains("| countersign | 2 of 2 | 12.0 |"), "{table}");
        assert!(table.contains("| countersign ÷ kube-controller-manager | 2 pairs | 3.00 |"), "{table}");
    }

    #[test]
    fn a_run_without_every_certificate_gives_no_ratio() {
        let (ours, theirs) = (Contestant::Countersign, Contestant::KubeControllerManager);
        let table = table(&[trial(ours, 1, 10, 20.0), trial(theirs, 1, 9, 10.0)]);
        assert!(table.contains("no ratio: in run 1 kube-controller-manager issued 9 of 10"), "{table}");
        assert!(!table.contains("pairs"), "{table}");
    }

    #[test]
    fn a_second_certificate_gives_no_ratio() {
        let (ours, theirs) = (Contestant::Countersign, Contestant::KubeControllerManager);
        let twice = Trial { replaced: 1, ..trial(ours, 1, 10, 20.0) };
        assert!(table(&[twice, trial(theirs, 1, 10, 10.0)]).contains("1 of them twice"));
    }
}
