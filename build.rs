//! Records the commit a binary is built from, so that a run's manifest can name it.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/refs/heads");
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output();
    // A source archive has no repository: the manifest then says null.
    if let Some(output) = output.ok().filter(|output| output.status.success()) {
        println!("cargo:rustc-env=PLIMSOLL_COMMIT={}", String::from_utf8_lossy(&output.stdout).trim());
    }
}
