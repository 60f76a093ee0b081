//! Decoders of other crates, kept from panicking through us.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoding step of the parquet and arrow crates, which may panic on a corrupt file; that is a fault of the file,
/// not of this program, so the panic is caught and its message is not printed as one.
pub(super) fn guarded<T>(step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !DECODING.get() {
                previous(info);
            }
        }));
    });
    DECODING.set(true);
    let result = catch_unwind(AssertUnwindSafe(step));
    DECODING.set(false);
    result
        .unwrap_or_else(|_| Err("the file is corrupt: its decoder failed".into()))
        .map_err(|error| format!("the file cannot be read: {error}"))
}
