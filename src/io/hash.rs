//! Sizes and BLAKE3 hashes of input files, for the manifest.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// What a file was when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileHash {
    /// File name without its directory.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// BLAKE3 of the content, 64 hexadecimal digits.
    pub blake3: String,
}

/// Hashes one file.
///
/// # Errors
/// [`Error::Io`] where it cannot be read.
pub fn file(path: &Path) -> Result<FileHash> {
    const BUFFER_BYTES: usize = 1 << 20;
    let mut input = File::open(path).map_err(|source| Error::io(path, source))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut size = 0;
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::io(path, source)),
        }
    }
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(FileHash { file, size, blake3: hasher.finalize().to_hex().to_string() })
}

/// Hashes every file of a directory, sorted by name; subdirectories are left out.
///
/// # Errors
/// [`Error::Io`] where the directory or a file cannot be read.
pub fn directory(dir: &Path) -> Result<Vec<FileHash>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|source| Error::io(dir, source))? {
        let path = entry.map_err(|source| Error::io(dir, source))?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| file(path)).collect()
}
