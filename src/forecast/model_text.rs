use super::model::{MODEL_VERSION, Model};
use crate::error::{Error, Fault, Result, one_line};

/// A model and the hash of it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    hash: String,
    model: Model,
}

impl Model {
    /// BLAKE3 of the model as text, 64 hexadecimal digits: models that differ in one bit have different ones.
    ///
    /// # Errors
    /// [`Error::Bug`] where the model cannot be written as TOML.
    pub fn hash(&self) -> Result<String> {
        let text = toml::to_string(self).map_err(|error| Error::Bug(error.to_string()))?;
        Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
    }

    /// The model as TOML with its hash. Numbers are shortest decimals that read back equal, so that a model that is read is, bit for
    /// bit, the one that was written.
    ///
    /// # Errors
    /// As [`Model::hash`].
    pub fn to_toml(&self) -> Result<String> {
        let sealed = Sealed { hash: self.hash()?, model: self.clone() };
        toml::to_string(&sealed).map_err(|error| Error::Bug(error.to_string()))
    }

    /// Reads what [`Model::to_toml`] wrote; `file` is its name in faults.
    ///
    /// # Errors
    /// [`Error::Configuration`] where it is no model, one of another version, or not the one that its hash is of.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let refused = |rule: String| {
            let fault = Fault::of_table(file, rule, "fit the model again, or restore the file");
            Error::Configuration(vec![fault])
        };
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| refused(format!("a model is TOML: {}", one_line(error.message()))))?;
        let version = table.get("model").and_then(|model| model.get("version"));
        if version.and_then(toml::Value::as_integer) != Some(i64::from(MODEL_VERSION)) {
            let found = version.map_or_else(|| "none".to_owned(), ToString::to_string);
            return Err(refused(format!("the version of a model is {MODEL_VERSION}; this one has {found}")));
        }
        let sealed: Sealed = table
            .try_into()
            .map_err(|error| refused(format!("a model has its keys and no other: {}", one_line(error))))?;
        if sealed.model.hash()? != sealed.hash {
            return Err(refused("the hash is that of the model; it was changed since it was fitted".into()));
        }
        let faults = sealed.model.faults();
        if faults.is_empty() { Ok(sealed.model) } else { Err(Error::Configuration(faults)) }
    }
}
