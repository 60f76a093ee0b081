//! Progress of long work on stderr: a bar with rate and time left on a terminal, a log line now and then otherwise.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Progress;
use crate::engine;

/// Work shorter than this shows nothing.
const QUIET: Duration = Duration::from_secs(2);
/// Time between log lines.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Where the progress of a sweep goes.
pub struct Meter {
    start: Instant,
    /// What is counted.
    unit: &'static str,
    sink: Sink,
}

enum Sink {
    Bar(ProgressBar),
    Log(Mutex<Duration>),
    Off,
}

impl Meter {
    /// A meter of cells as the command line asks for.
    pub fn new(progress: Progress) -> Self {
        Self::of(progress, "cells")
    }

    /// A meter of something else.
    pub fn of(progress: Progress, unit: &'static str) -> Self {
        let sink = match progress {
            Progress::Off => Sink::Off,
            Progress::Auto if std::io::stderr().is_terminal() => Sink::Bar(bar(unit)),
            Progress::Auto | Progress::Log => Sink::Log(Mutex::new(QUIET)),
        };
        Self { start: Instant::now(), unit, sink }
    }

    /// Clears the bar.
    pub fn finish(&self) {
        if let Sink::Bar(bar) = &self.sink {
            bar.finish_and_clear();
        }
    }
}

fn bar(unit: &str) -> ProgressBar {
    let template =
        format!("{{bar:32}} {{percent:>3}} %  {{human_pos}} of {{human_len}} {unit}  {{per_sec}}  {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

impl engine::Progress for Meter {
    fn advance(&self, done: u64, total: u64) {
        let elapsed = self.start.elapsed();
        match &self.sink {
            Sink::Off => {}
            Sink::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Sink::Log(next) => {
                let mut next = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if elapsed >= *next && done > 0 && done < total {
                    *next = elapsed + LOG_EVERY;
                    let rate = done as f64 / elapsed.as_secs_f64();
                    let left = (total - done) as f64 / rate;
                    let unit = self.unit;
                    let percent = 100.0 * done as f64 / total as f64;
                    tracing::info!("{percent:.0} % of {total} {unit}, {rate:.3e} {unit}/s, {left:.0} s left");
                }
            }
        }
    }
}
