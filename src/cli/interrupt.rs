//! SIGINT and SIGTERM: what is under construction is removed, and the process ends with 130 or 143.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// How soon a signal is noticed.
const PERIOD: Duration = Duration::from_millis(20);

/// The watch over signals.
pub(super) struct Watch {
    signal: Arc<AtomicUsize>,
}

/// Starts watching. A second signal ends the process at once, whatever is left behind.
pub(super) fn watch() -> Watch {
    let signal = Arc::new(AtomicUsize::new(0));
    let second = Arc::new(AtomicBool::new(false));
    for number in [SIGINT, SIGTERM] {
        let registered = flag::register_conditional_shutdown(number, exit_code(number), Arc::clone(&second))
            .and_then(|_| flag::register(number, Arc::clone(&second)))
            .and_then(|_| flag::register_usize(number, Arc::clone(&signal), number.unsigned_abs() as usize));
        if let Err(error) = registered {
            tracing::warn!("signal {number} is not watched, an interrupt may leave temporary files: {error}");
        }
    }
    let watched = Arc::clone(&signal);
    thread::spawn(move || {
        loop {
            thread::sleep(PERIOD);
            match watched.load(Ordering::SeqCst) {
                0 => {}
                number => end(number as i32),
            }
        }
    });
    Watch { signal }
}

impl Watch {
    /// Waits for the end where a signal has come: the work then fails only because its files are gone.
    pub(super) fn settle(&self) {
        while self.signal.load(Ordering::SeqCst) != 0 {
            thread::sleep(PERIOD);
        }
    }
}

/// The shell's convention for a process that a signal ended.
fn exit_code(signal: i32) -> i32 {
    128 + signal
}

fn end(signal: i32) -> ! {
    let left = crate::io::remove_partial();
    eprintln!("error: interrupted");
    for path in left {
        eprintln!("error: {}: temporary, could not be removed", path.display());
    }
    // Without exit handlers: other threads are still inside drivers and allocators.
    low_level::exit(exit_code(signal))
}
