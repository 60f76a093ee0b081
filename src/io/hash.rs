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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_blake3_and_sorted_by_name() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(dir.path().join("b"), "").expect("a file");
        std::fs::write(dir.path().join("a"), vec![7; 3 << 20]).expect("a file");
        let hashes = directory(dir.path()).expect("hashes");
        assert_eq!(
            hashes.iter().map(|hash| (hash.file.as_str(), hash.size)).collect::<Vec<_>>(),
            [("a", 3 << 20), ("b", 0)]
        );
        assert_eq!(hashes[0].blake3, blake3::hash(&vec![7; 3 << 20]).to_hex().to_string());
        assert_eq!(hashes[1].blake3, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    }
}
