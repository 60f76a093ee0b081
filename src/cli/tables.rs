use crate::io::TableFormat;

/// Format of the tables that a command writes into a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Tables {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values.
    Csv,
    /// Arrow IPC.
    Arrow,
}

impl Tables {
    /// The format.
    pub fn format(self) -> TableFormat {
        match self {
            Self::Parquet => TableFormat::Parquet,
            Self::Csv => TableFormat::Csv,
            Self::Arrow => TableFormat::Arrow,
        }
    }
}
