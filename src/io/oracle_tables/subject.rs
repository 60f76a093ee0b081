use crate::domain::Snapshot;
use crate::io::table::Row;

/// Names that rows may speak of.
#[derive(Debug)]
pub(super) struct Names<'a> {
    assets: Vec<&'a str>,
    underlyings: Vec<&'a str>,
    instruments: Vec<&'a str>,
}

/// What a column of names is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// An asset or an underlying.
    Subject,
    /// An asset.
    Asset,
    /// An underlying.
    Underlying,
    /// An instrument.
    Instrument,
}

impl<'a> Names<'a> {
    /// Those of a snapshot.
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            assets: snapshot.assets.iter().map(|asset| asset.name.as_str()).collect(),
            underlyings: snapshot.underlyings.iter().map(|underlying| underlying.name.as_str()).collect(),
            instruments: snapshot.instruments.iter().map(|instrument| instrument.name.as_str()).collect(),
        }
    }

    fn known(&self, about: About) -> Vec<&'a str> {
        match about {
            About::Subject => self.assets.iter().chain(&self.underlyings).copied().collect(),
            About::Asset => self.assets.clone(),
            About::Underlying => self.underlyings.clone(),
            About::Instrument => self.instruments.clone(),
        }
    }

    fn has(&self, about: About, name: &str) -> bool {
        // The lists of a snapshot are sorted.
        let is_in = |names: &[&str]| names.binary_search(&name).is_ok();
        match about {
            About::Subject => is_in(&self.assets) || is_in(&self.underlyings),
            About::Asset => is_in(&self.assets),
            About::Underlying => is_in(&self.underlyings),
            About::Instrument => is_in(&self.instruments),
        }
    }
}

impl About {
    fn tables(self) -> &'static str {
        match self {
            Self::Subject => "assets or underlyings",
            Self::Asset => "assets",
            Self::Underlying => "underlyings",
            Self::Instrument => "instruments",
        }
    }
}

/// The one name among several columns of which exactly one is filled in; known where names are given.
pub(super) fn read<'r>(
    row: &mut Row<'r>,
    columns: &[(usize, &str, About)],
    names: Option<&Names<'_>>,
) -> Option<(&'r str, About)> {
    let filled: Vec<_> = columns.iter().filter(|(column, ..)| !row.is_blank(*column)).copied().collect();
    let [(column, _, about)] = filled[..] else {
        let list: Vec<&str> = columns.iter().map(|(_, name, _)| *name).collect();
        let at = filled.get(1).or(filled.first()).or(columns.first()).map_or(0, |(column, ..)| *column);
        row.refuse_cell(at, format!("exactly one of {} says what the row is about", list.join(", ")), "fill in one");
        return None;
    };
    let name = row.text(column)?;
    if let Some(names) = names.filter(|names| !names.has(about, name)) {
        let remedy = row.suggest(name, names.known(about), "add it, or remove the row");
        row.refuse(column, name, format!("no such name in {}", about.tables()), remedy);
        return None;
    }
    Some((name, about))
}
