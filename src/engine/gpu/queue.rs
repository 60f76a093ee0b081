//! Which pools are still to be taken, and results put in book order: what devices share.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::engine::chunk::Chunk;
use crate::engine::job::Job;
use crate::engine::merge::Merge;

/// Pools that no device has taken.
pub struct Queue {
    /// What lost devices had taken: first pool, end.
    returned: BTreeMap<usize, usize>,
    rest: Range<usize>,
}

impl Queue {
    /// Every pool of a book.
    pub fn new(n_pools: usize) -> Self {
        Self { returned: BTreeMap::new(), rest: 0..n_pools }
    }

    /// Takes up to `pools` neighbouring pools; `None` where none is left.
    pub fn take(&mut self, pools: usize) -> Option<Range<usize>> {
        let taken = match self.returned.pop_first() {
            Some((start, end)) if end - start > pools => {
                self.returned.insert(start + pools, end);
                start..start + pools
            }
            Some((start, end)) => start..end,
            None => {
                let start = self.rest.start;
                self.rest.start = (start + pools).min(self.rest.end);
                start..self.rest.start
            }
        };
        (!taken.is_empty()).then_some(taken)
    }

    /// Puts back what was taken and not finished.
    pub fn give_back(&mut self, pools: Range<usize>) {
        self.returned.insert(pools.start, pools.end);
    }

    /// Whether pools are left that a lost device had taken.
    pub fn has_returned(&self) -> bool {
        !self.returned.is_empty()
    }

    /// Number of pools left.
    pub fn len(&self) -> usize {
        self.returned.iter().map(|(start, end)| end - start).sum::<usize>() + self.rest.len()
    }
}

/// Results on their way to the merge, which takes them in book order.
pub struct InOrder<'m, 'p> {
    merge: &'m mut Merge<'p>,
    /// First pool → end, results: those that wait for pools before them.
    waiting: BTreeMap<usize, (usize, Vec<Chunk>)>,
}

impl<'m, 'p> InOrder<'m, 'p> {
    /// Nothing waits.
    pub fn new(merge: &'m mut Merge<'p>) -> Self {
        Self { merge, waiting: BTreeMap::new() }
    }

    /// Results that wait.
    pub fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// Adds the results of some pools, and whatever has waited for them.
    pub fn add(&mut self, job: &Job<'_>, pools: Range<usize>, chunks: Vec<Chunk>) {
        self.waiting.insert(pools.start, (pools.end, chunks));
        while let Some((_, chunks)) = self.waiting.remove(&self.merge.pools.len()) {
            chunks.into_iter().for_each(|chunk| self.merge.add(job, chunk));
        }
    }

    /// Fills every gap: `sweep` merges the pools of each.
    pub fn fill(&mut self, job: &Job<'_>, mut sweep: impl FnMut(Range<usize>, &mut Merge<'p>)) {
        while self.merge.pools.len() < job.plan.n_pools {
            let start = self.merge.pools.len();
            match self.waiting.remove(&start) {
                Some((_, chunks)) => chunks.into_iter().for_each(|chunk| self.merge.add(job, chunk)),
                None => {
                    let end = self.waiting.keys().next().copied().unwrap_or(job.plan.n_pools);
                    sweep(start..end, &mut *self.merge);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However much is taken at a time and given back, every pool is finished once.
        #[test]
        fn every_pool_is_taken_until_it_is_finished(n_pools in 0usize..500, steps in prop::collection::vec((1usize..90, any::<bool>()), 0..200)) {
            let mut queue = Queue::new(n_pools);
            let mut finished = vec![0; n_pools];
            for (pools, is_finished) in steps.into_iter().chain(std::iter::repeat_n((40, true), 600)) {
                let before = queue.len();
                let Some(taken) = queue.take(pools) else { break };
                prop_assert!(!taken.is_empty() && taken.len() <= pools && queue.len() == before - taken.len());
                if is_finished {
                    finished[taken].iter_mut().for_each(|times| *times += 1);
                } else {
                    queue.give_back(taken);
                }
            }
            prop_assert!(queue.len() == 0 && queue.take(1).is_none());
            prop_assert!(finished.iter().all(|&times| times == 1));
        }
    }
}
