//! A picture of waiting times.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::contestant::Contestant;
use crate::trial::Trial;

/// How long each request of the first pair waited, by when it was sent.
pub(crate) fn waits(trials: &[Trial], file: &Path) -> Result<()> {
    draw(trials, file).map_err(|error| anyhow!("failed to draw {}: {error}", file.display()))
}

fn draw(trials: &[Trial], file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let first: Vec<&Trial> =
        trials.iter().filter(|trial| trial.pair == 1 && !trial.waits.is_empty()).collect();
    let all = || first.iter().flat_map(|trial| &trial.waits);
    let latest = all().map(|(sent, _)| *sent).fold(0.1, f64::max);
    let longest = all().map(|(_, waited)| waited * 1000.0).fold(10.0, f64::max);
    let canvas = SVGBackend::new(file, (900, 520)).into_drawing_area();
    canvas.fill(&WHITE)?;
    let title = format!("{}: how long each request waited", trials[0].scenario);
    let mut chart = ChartBuilder::on(&canvas)
        .caption(title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..latest, (1.0..longest * 1.5).log_scale())?;
    chart.configure_mesh().x_desc("sent, seconds after the first").y_desc("waited, milliseconds").draw()?;
    for trial in first {
        let colour = colour(trial.contestant);
        let every = trial.waits.len().div_ceil(DOTS);
        let dots = trial
            .waits
            .iter()
            .step_by(every)
            .map(|(sent, waited)| Circle::new((*sent, waited * 1000.0), 1, colour.filled()));
        chart
            .draw_series(dots)?
            .label(trial.contestant.label())
            .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
    }
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    canvas.present()?;
    Ok(())
}

/// More of them show nothing more.
const DOTS: usize = 500;

/// Told apart by those who do not see red and green as different.
fn colour(contestant: Contestant) -> RGBColor {
    match contestant {
        Contestant::Countersign => RGBColor(0, 114, 178),
        Contestant::KubeControllerManager => RGBColor(213, 94, 0),
        Contestant::Probe => RGBColor(120, 120, 120),
    }
}
