//! What a rulebook may say: tables of keys, from which reading, the JSON Schema and the documentation follow.

/// Numbers of a rulebook lie within ± this, which keeps products of notionals and rates far from overflow.
pub const LARGEST: f64 = 1e30;

/// Amounts of money lie below this: in quanta of 1e-8 they stay far inside an `i128`.
pub const LARGEST_AMOUNT: f64 = 1e20;

/// One key of a section.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Name, as written in the file.
    pub name: &'static str,
    /// What the key holds.
    pub kind: KeyKind,
    /// Whether a section may do without it.
    pub presence: Presence,
    /// Meaning and unit: one phrase, lower case, no full stop.
    pub help: &'static str,
}

/// Whether a key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It may not.
    Required,
    /// It may; the text says what holds then.
    Optional(&'static str),
}

/// What a key holds. Bounds of numbers are inclusive.
#[derive(Debug, Clone, Copy)]
pub enum KeyKind {
    /// A number, integer or not.
    Number {
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
    },
    /// A whole number.
    Integer {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A word of a closed list.
    Word(&'static [&'static str]),
    /// Any string.
    Text,
    /// `true` or `false`.
    Flag,
    /// A moment, RFC 3339 with an offset, as a string or a TOML date and time.
    Timestamp,
    /// A formula of the expression language, as a string; or a number.
    Expression,
    /// A list of at least one number.
    Numbers {
        /// Least value of each.
        min: f64,
        /// Greatest value of each.
        max: f64,
    },
    /// A list of strings.
    Texts,
    /// A list of words of a closed list, each at most once.
    Words(&'static [&'static str]),
    /// A table of values of one kind under free names.
    Values(&'static KeyKind),
    /// One number for all names, or a table with `default` and a number for each name that differs.
    ByName {
        /// Least value of each.
        min: f64,
        /// Greatest value of each.
        max: f64,
    },
    /// A table.
    Table(Shape),
    /// A list of tables.
    Tables(Shape),
    /// A table of tables under free names.
    Named(Shape),
    /// Either of two kinds that are written differently.
    Either(&'static [KeyKind; 2]),
}

/// Which keys a table has.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Always the same.
    Keys(&'static [Key]),
    /// Those of the kind that the key `by` names.
    Kinds {
        /// Name of the key that tells the kinds apart.
        by: &'static str,
        /// The kinds.
        of: &'static [Kind],
    },
}

/// One of several kinds of table.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What the key that tells the kinds apart says.
    pub name: &'static str,
    /// What it computes: one phrase, lower case, no full stop.
    pub help: &'static str,
    /// Its keys beside the one that tells the kinds apart.
    pub keys: &'static [Key],
}

impl Key {
    /// A key that every section has.
    pub const fn required(name: &'static str, kind: KeyKind, help: &'static str) -> Self {
        Self { name, kind, presence: Presence::Required, help }
    }

    /// A key that may be left out; `without` says what holds then.
    pub const fn optional(name: &'static str, kind: KeyKind, without: &'static str, help: &'static str) -> Self {
        Self { name, kind, presence: Presence::Optional(without), help }
    }
}

impl KeyKind {
    /// Any number.
    pub const NUMBER: Self = Self::Number { min: -LARGEST, max: LARGEST };
    /// A number above 0.
    pub const POSITIVE: Self = Self::Number { min: f64::MIN_POSITIVE, max: LARGEST };
    /// A number ≥ 0.
    pub const NOT_NEGATIVE: Self = Self::Number { min: 0.0, max: LARGEST };
    /// A fraction in [0, 1]: 0.05 = 5 %.
    pub const SHARE: Self = Self::Number { min: 0.0, max: 1.0 };
    /// An amount of money, quote units, ≥ 0.
    pub const AMOUNT: Self = Self::Number { min: 0.0, max: LARGEST_AMOUNT };
    /// An amount of money above 0, quote units.
    pub const POSITIVE_AMOUNT: Self = Self::Number { min: f64::MIN_POSITIVE, max: LARGEST_AMOUNT };
    /// Fractions in [0, 1].
    pub const SHARES: Self = Self::Numbers { min: 0.0, max: 1.0 };
}

impl Shape {
    /// The kind of that name; a shape without kinds has none.
    pub fn kind(self, name: &str) -> Option<&'static Kind> {
        match self {
            Self::Keys(_) => None,
            Self::Kinds { of, .. } => of.iter().find(|kind| kind.name == name),
        }
    }
}

/// The words of a table of words and what they stand for, for [`KeyKind::Word`].
pub const fn words<T: Copy, const N: usize>(table: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut index = 0;
    while index < N {
        words[index] = table[index].0;
        index += 1;
    }
    words
}

/// A range of numbers as a rule: `between 0 and 1 (0.05 = 5 %)`.
pub(super) fn range_rule(min: f64, max: f64) -> String {
    match (min, max) {
        (0.0, 1.0) => "between 0 and 1 (0.05 = 5 %)".into(),
        (f64::MIN_POSITIVE, LARGEST) => "a positive number".into(),
        (f64::MIN_POSITIVE, LARGEST_AMOUNT) => "above 0 and at most 1e20".into(),
        (f64::MIN_POSITIVE, max) => format!("above 0 and at most {max}"),
        (min, LARGEST_AMOUNT) => format!("between {min} and 1e20"),
        (min, LARGEST) => format!("at least {min}"),
        (min, max) => format!("between {min} and {max}"),
    }
}
