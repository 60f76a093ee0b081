//! `[history]` of a calibration job.

use crate::calibration::HistoryRequest;
use crate::forecast::ModelKind;
use crate::io::moment;
use crate::margin::file::{Reader, Section};

/// What an overlay is replayed over, without its file.
pub(super) fn read(section: &Section, reader: &mut Reader<'_>) -> HistoryRequest {
    let text = |key: &str| section.text(key).map(str::to_owned);
    let from = section.text("from").map(|from| (from, moment::hour(from)));
    if let Some((from, Err(rule))) = &from {
        reader.fault(&section.at("from"), *from, rule.as_str(), "write it like 2021-07-01");
    }
    HistoryRequest {
        asset: text("asset"),
        with: section.texts("with").map(<[String]>::to_vec),
        model: section.choice("model", &HistoryRequest::MODELS).unwrap_or(ModelKind::HarX),
        from: from.and_then(|(_, hour)| hour.ok()),
        underlying: text("underlying"),
    }
}
