/// Somebody who wants to know how far a long job is. Called from several threads; must return quickly.
pub trait Progress: Sync {
    /// `done` of `total` cells are finished.
    fn advance(&self, done: u64, total: u64);
}

/// Nobody wants to know.
impl Progress for () {
    fn advance(&self, _done: u64, _total: u64) {}
}
