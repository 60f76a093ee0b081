use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::{Encoding, binary, text};
use crate::error::{Error, Result};
use crate::io::partial::Partial;
use crate::scenario::ScenarioSet;

/// Writes a scenario set in the encoding of the path's extension, all or nothing: the data goes to a temporary file in the
/// same directory that takes the name at the end. Reading it back gives the same bits.
///
/// # Errors
/// [`Error::Usage`] for an unknown extension; [`Error::Refused`] where the set breaks a rule of scenario sets (nothing that
/// [`super::read`] would refuse is written); [`Error::Io`] or [`Error::Temporary`] where writing fails: then no file is
/// left, and one that stood there before is unchanged.
pub fn write(path: &Path, set: &ScenarioSet) -> Result<()> {
    let encoding = Encoding::of(path)?;
    let faults = set.faults();
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let open = |path: &Path| OpenOptions::new().write(true).create(true).truncate(true).open(path);
    let (temporary, file) = Partial::create(&temporary, open).map_err(|source| Error::io(path, source))?;
    let mut output = BufWriter::new(&file);
    match encoding {
        Encoding::Csv => text::write(&mut output, set).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) => Error::io(path, source),
            other => Error::Bug(format!("{other:?}")),
        }),
        Encoding::Parquet => binary::write_parquet(&mut output, set),
        Encoding::Arrow => binary::write_arrow(&mut output, set),
    }?;
    output.flush().map_err(|source| Error::io(path, source))?;
    drop(output);
    file.sync_all().map_err(|source| Error::io(path, source))?;
    temporary.publish(path).map_err(|source| Error::io(path, source))
}
