//! A sweep of a book that is never in memory as a whole: while one segment is swept the next is read and the last is written.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use super::greeks::{Findings, GreeksOfPools, Stopwatch, write_scenarios};
use super::{Job, Swept};
use crate::cli::Context;
use crate::cli::inputs::{Inputs, OnRefused, counts_of, resolved, unquoted};
use crate::cli::progress::Meter;
use crate::domain::{Book, PoolSettings, Snapshot, SortedBook};
use crate::engine::greeks::{GreekSheet, GreekSummary, GreeksDigest, GrossGreeks, LadderSums, NetPositions};
use crate::engine::stream::{BookSize, SegmentedAttribution, SegmentedSweep};
use crate::engine::{Outcome, PoolOutcome, ResultDigest, SweepOptions};
use crate::error::{Error, Result};
use crate::io::results::ResultsWriter;
use crate::io::snapshot::Loaded;
use crate::io::snapshot::segments::{SegmentedSnapshot, position_count};
use crate::io::{read_rulebook, scenario_file};
use crate::margin::{Rulebook, check_book};
use crate::report::PoolSummary;
use crate::scenario::ScenarioSet;

/// A book of fewer positions is read as a whole: it takes less than a gigabyte.
const POSITIONS_MIN: u64 = 4_000_000;
/// Pools per segment, unless the caller says otherwise: a multiple of what the tables are written in at once.
const SEGMENT_POOLS: usize = 65_536;
/// Bytes of liquidatable pools that are kept for the attribution; where there are more, the book is read once more.
const CANDIDATE_BYTES: usize = 512 << 20;

/// The snapshot, where its book is to be read in segments; `Some(Err)` says why that cannot be.
pub(super) fn open(job: &Job<'_>) -> Result<Option<std::result::Result<SegmentedSnapshot, String>>> {
    let is_wanted = match job.segment_pools {
        Some(pools) => pools > 0,
        None => position_count(job.snapshot).is_some_and(|positions| positions >= POSITIONS_MIN),
    };
    if !is_wanted {
        return Ok(None);
    }
    if job.on_refused == OnRefused::Quarantine {
        return Ok(Some(Err("rows may be put in quarantine".into())));
    }
    let opened = SegmentedSnapshot::open(job.snapshot)?;
    let is_refused = |snapshot: &SegmentedSnapshot| -> Result<bool> {
        // The fault of such pools tells how many there are and names the first.
        let has_portfolio_pools = snapshot.has_portfolio_pools();
        Ok(has_portfolio_pools && !check_book(snapshot.sketch(), &read_rulebook(job.rulebook)?).0.is_empty())
    };
    match opened {
        Ok(snapshot) if is_refused(&snapshot)? => {
            Ok(Some(Err("the rulebook does not suit its portfolio pools".into())))
        }
        opened => Ok(Some(opened)),
    }
}

/// Reads, sweeps, and writes the tables of pools and of Greeks; the snapshot has been looked through since `clock`.
pub(super) fn run(
    job: &Job<'_>,
    snapshot: &SegmentedSnapshot,
    clock: Instant,
    (options, writer): (&SweepOptions, &ResultsWriter),
    context: Context,
) -> Result<Swept> {
    let rulebook = read_rulebook(job.rulebook)?;
    let set = scenario_file::read(job.scenarios)?;
    let (faults, mut warnings) = check_book(snapshot.sketch(), &rulebook);
    if snapshot.has_faults() || !faults.is_empty() {
        accepted(snapshot.read(SEGMENT_POOLS, |_| true)?, &rulebook)?;
    }
    // A refused row is told before anything that goes wrong later.
    let unless_refused = |error: Error| match snapshot.read(SEGMENT_POOLS, |_| true) {
        Ok(loaded) => accepted(loaded, &rulebook).err().unwrap_or(error),
        Err(other) => other,
    };
    warnings.extend(rulebook.warnings());
    warnings.extend(unquoted(&set));
    let (scenarios, more) = resolved(set, (job.snapshot, snapshot.sketch()), &rulebook).map_err(unless_refused)?;
    warnings.extend(more);
    let size = BookSize { pools: snapshot.pool_count(), positions: snapshot.position_count() };
    let sweep = SegmentedSweep::new(snapshot.sketch(), &rulebook, &scenarios, options, size).map_err(unless_refused)?;
    let meter = Meter::new(context.progress);
    let run = Run { snapshot, rulebook: &rulebook, scenarios: &scenarios, sweep: &sweep, writer, meter: &meter };
    let prepared_seconds = clock.elapsed().as_secs_f64();
    let done = thread::scope(|scope| {
        let hashing = scope.spawn(|| job.files().hashes(&rulebook));
        let done = run.run(sweep.segment_pools(job.segment_pools.unwrap_or(SEGMENT_POOLS)));
        let hashes = hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        done.and_then(|done| Ok((done, hashes?)))
    });
    meter.finish();
    let (Done { loaded, mut outcome, pools, found, digest }, hashes) = done?;
    outcome.seconds.read += prepared_seconds - outcome.seconds.revalue;
    let warnings: Vec<String> = loaded.warnings.iter().cloned().chain(warnings).collect();
    outcome.warnings.extend(warnings.iter().cloned());
    let counts = counts_of(&loaded);
    drop(sweep);
    let snapshot = loaded.snapshot;
    let inputs =
        Inputs { snapshot, rulebook, scenarios, hashes, counts, rows_refused: 0, refused: Vec::new(), warnings };
    Ok(Swept { inputs, outcome, pools, found, digest })
}

/// What was read, unless a row or the rulebook stands against it.
fn accepted(mut loaded: Loaded, rulebook: &Rulebook) -> Result<Loaded> {
    let (faults, _) = check_book(&loaded.snapshot, rulebook);
    loaded.add(faults, Vec::new());
    if loaded.fault_count > 0 {
        loaded.into_snapshot()?;
        return Err(Error::Bug("faults refuse a snapshot".into()));
    }
    Ok(loaded)
}

/// A segment with its outcomes, and the place of its first pool in the book.
struct Part {
    snapshot: Snapshot,
    first: usize,
    outcomes: Vec<PoolOutcome>,
}

struct Run<'r> {
    snapshot: &'r SegmentedSnapshot,
    rulebook: &'r Rulebook,
    scenarios: &'r ScenarioSet,
    sweep: &'r SegmentedSweep<'r>,
    writer: &'r ResultsWriter,
    meter: &'r Meter,
}

struct Done {
    loaded: Loaded,
    outcome: Outcome,
    pools: PoolSummary,
    found: Findings,
    digest: String,
}

impl Run<'_> {
    fn run(&self, segment_pools: usize) -> Result<Done> {
        let sheet = GreekSheet::new(self.snapshot.sketch(), self.scenarios);
        let (to_sweep, segments) = sync_channel::<Book>(1);
        let (to_pools, of_pools) = sync_channel::<Arc<Part>>(1);
        let (to_greeks, of_greeks) = sync_channel::<Arc<Part>>(1);
        let mut candidates = Candidates::default();
        let (loaded, swept, pools, greeks) = thread::scope(|scope| {
            let reading = scope.spawn(move || self.snapshot.read(segment_pools, |book| to_sweep.send(book).is_ok()));
            let pools = scope.spawn(move || self.write_pools(of_pools));
            let greeks = scope.spawn(|| self.write_greeks(&sheet, of_greeks));
            let swept = self.sweep_all(segments, [to_pools, to_greeks], &mut candidates);
            (join(reading), swept, join(pools), join(greeks))
        });
        let loaded = accepted(loaded?, self.rulebook)?;
        // Where a writer fails the sweep stops early, and that the writer failed is the reason.
        let (digest, mut pools) = pools?;
        let greeks = greeks?;
        let (mut outcome, clock) = swept?;
        outcome.seconds.write += clock.elapsed().as_secs_f64();
        let digest = digest.finish(&outcome.scenarios);
        let mut clock = Stopwatch::default();
        let attributed = Instant::now();
        self.attribute(segment_pools, &mut outcome, candidates, &mut pools)?;
        clock.seconds += attributed.elapsed().as_secs_f64();
        let found = self.finish_greeks(sheet, greeks, &mut clock)?;
        outcome.seconds.greeks = clock.seconds;
        Ok(Done { loaded, outcome, pools, found, digest })
    }

    /// Sweeps the segments in order and hands them on; also answers since when nothing is left but to write.
    fn sweep_all(
        &self,
        segments: Receiver<Book>,
        writers: [SyncSender<Arc<Part>>; 2],
        candidates: &mut Candidates,
    ) -> Result<(Outcome, Instant)> {
        let mut sweep = self.sweep.start(self.meter);
        let (mut first, mut read_seconds, mut write_seconds) = (0, 0.0, 0.0);
        loop {
            let clock = Instant::now();
            let Ok(book) = segments.recv() else { break };
            read_seconds += clock.elapsed().as_secs_f64();
            let snapshot = self.snapshot.sketch().with_book(book);
            let outcomes = sweep.sweep(&snapshot)?;
            let part = Arc::new(Part { snapshot, first, outcomes });
            first += part.outcomes.len();
            candidates.add(&part);
            let clock = Instant::now();
            // A writer that is gone has failed, and says why itself.
            if writers.iter().any(|writer| writer.send(part.clone()).is_err()) {
                break;
            }
            write_seconds += clock.elapsed().as_secs_f64();
        }
        let mut outcome = sweep.finish()?;
        outcome.seconds.read = read_seconds;
        outcome.seconds.write = write_seconds;
        Ok((outcome, Instant::now()))
    }

    fn write_pools(&self, parts: Receiver<Arc<Part>>) -> Result<(ResultDigest, PoolSummary)> {
        let mut table = self.writer.pool_table();
        let mut digest = ResultDigest::new(self.snapshot.pool_count());
        let mut summary = PoolSummary::default();
        for part in parts {
            let book = &part.snapshot.book;
            digest.add_pools(&part.outcomes);
            summary.add(book, &part.outcomes);
            table.write(book, &part.outcomes, self.scenarios)?;
        }
        if summary.count == 0 {
            table.write(&Book::default(), &[], self.scenarios)?;
        }
        table.finish()?;
        Ok((digest, summary))
    }

    fn write_greeks(&self, sheet: &GreekSheet<'_>, parts: Receiver<Arc<Part>>) -> Result<Greeks> {
        let mut table = GreeksOfPools::new(self.writer);
        let mut net = NetPositions::new(self.snapshot.sketch().instruments.len());
        let mut ladders = GreekSummary::ladders_of(sheet);
        let mut is_empty = true;
        for part in parts {
            is_empty = false;
            net.add(&part.snapshot.book);
            self.sweep.install(|| ladders.iter_mut().for_each(|ladder| ladder.add(&part.snapshot.book)));
            self.sweep.install(|| table.add(sheet, (&part.snapshot, part.first), &part.outcomes))?;
        }
        if is_empty {
            table.add(sheet, (&self.snapshot.sketch().with_book(Book::default()), 0), &[])?;
        }
        let (digest, gross) = table.finish()?;
        Ok(Greeks { digest, gross, net, ladders })
    }

    fn finish_greeks(&self, sheet: GreekSheet<'_>, greeks: Greeks, clock: &mut Stopwatch) -> Result<Findings> {
        let Greeks { mut digest, gross, net, ladders } = greeks;
        let sheet = sheet.with_net(&net);
        write_scenarios(self.writer, (self.snapshot.sketch(), self.scenarios), &sheet, &mut digest, clock)?;
        let summary = clock.time(|| GreekSummary::of_parts(&sheet, &gross, &ladders));
        Ok(Findings { summary, digest: digest.finish(), seconds: clock.seconds })
    }

    /// Takes the worst scenarios apart, from the pools that were kept or, where they were too many, from the tables again.
    fn attribute(
        &self,
        segment_pools: usize,
        outcome: &mut Outcome,
        candidates: Candidates,
        pools: &mut PoolSummary,
    ) -> Result<()> {
        let mut attribution = self.sweep.attribution(outcome);
        if !attribution.is_empty() {
            let mut add = |snapshot: &Snapshot, candidates: &[(usize, usize)]| {
                attribution.add(snapshot, candidates);
                for loser in attribution.losers() {
                    if let Ok(at) = candidates.binary_search_by_key(&loser, |(place, _)| *place) {
                        pools.name(loser, (&snapshot.book, candidates[at].1));
                    }
                }
            };
            let Candidates { kept, is_candidate, is_dropped, .. } = candidates;
            kept.iter().for_each(|(snapshot, candidates)| add(snapshot, candidates));
            if is_dropped {
                let mut first = 0;
                let loaded = self.snapshot.read(segment_pools, |book| {
                    let of_part = &is_candidate[first.min(is_candidate.len())..];
                    let candidates = of_part.iter().take(book.len()).enumerate().filter(|(_, is)| **is);
                    let candidates: Vec<(usize, usize)> = candidates.map(|(index, _)| (first + index, index)).collect();
                    first += book.len();
                    add(&self.snapshot.sketch().with_book(book), &candidates);
                    true
                })?;
                accepted(loaded, self.rulebook)?;
            }
        }
        outcome.attributions = attribution.finish();
        Ok(())
    }
}

/// What is known of the Greeks once every pool is in.
struct Greeks {
    digest: GreeksDigest,
    gross: GrossGreeks,
    net: NetPositions,
    ladders: Vec<LadderSums>,
}

/// The pools that the attribution will ask for.
#[derive(Default)]
struct Candidates {
    /// By place in the book.
    is_candidate: Vec<bool>,
    /// Their holdings, part by part: where each stands in the whole book, and in the book beside it.
    kept: Vec<(Snapshot, Vec<(usize, usize)>)>,
    bytes: usize,
    /// They became too many to be kept.
    is_dropped: bool,
}

impl Candidates {
    fn add(&mut self, part: &Part) {
        let is_candidate = part.outcomes.iter().map(SegmentedAttribution::wants);
        self.is_candidate.extend(is_candidate);
        if self.is_dropped {
            return;
        }
        let (mut book, mut places) = (SortedBook::default(), Vec::new());
        for (index, _) in self.is_candidate[part.first..].iter().enumerate().filter(|(_, is)| **is) {
            let pool = part.snapshot.book.pool(index);
            let settings = (*pool.settings != PoolSettings::default()).then(|| pool.settings.clone());
            places.push((part.first + index, book.len()));
            let (balances, positions) = (pool.balances.iter().copied(), pool.positions.iter().copied());
            book.push((pool.account, pool.pool), balances, positions, settings);
        }
        self.bytes += book.bytes();
        if self.bytes > CANDIDATE_BYTES {
            (self.kept, self.is_dropped) = (Vec::new(), true);
        } else if !places.is_empty() {
            self.kept.push((part.snapshot.with_book(book.build()), places));
        }
    }
}

fn join<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
