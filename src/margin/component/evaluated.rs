use super::{Component, Kind};

/// What decides a component's value in a sweep. Whatever does, decisions are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluated {
    /// A device, where there is one, else the CPU kernel.
    Device,
    /// The CPU kernel: the pools that hold it are left out of what a device is given.
    CpuKernel,
    /// As `Device`, but by the direct formulas (intervals, then exact numbers) for pools where the text holds.
    DirectWhere(&'static str),
    /// As the components that it names.
    AsNamed,
}

impl Component {
    /// Name of its kind, as in rulebook files.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Grid(_) => "grid",
            Kind::Span(_) => "span",
            Kind::Tail(_) => "tail",
            Kind::Formula(_) => "formula",
            Kind::Calendar(_) => "calendar",
            Kind::Vega(_) => "vega",
            Kind::Delta(_) => "delta",
            Kind::Depth(_) => "depth",
            Kind::Contingency(_) => "contingency",
            Kind::Unwind(_) => "unwind",
            Kind::Concentration(_) => "concentration",
            Kind::Depeg(_) => "depeg",
            Kind::WrongWay(_) => "wrong_way",
        }
    }

    /// What decides its value.
    pub fn evaluated(&self) -> Evaluated {
        match &self.kind {
            Kind::Formula(_) => Evaluated::AsNamed,
            Kind::Tail(_) => Evaluated::CpuKernel,
            Kind::Depth(_) => {
                Evaluated::DirectWhere("the charge is neither nothing nor at its maximum under every scenario")
            }
            Kind::Span(span) if !span.inter.is_empty() => {
                Evaluated::DirectWhere("every leg of a spread between underlyings is held")
            }
            Kind::Span(span) if span.spreads.len() > 2 => {
                Evaluated::DirectWhere("more than two spreads between expiries can be formed")
            }
            _ => Evaluated::Device,
        }
    }
}

impl std::fmt::Display for Evaluated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Device => f.write_str("device"),
            Self::CpuKernel => f.write_str("CPU kernel"),
            Self::DirectWhere(condition) => write!(f, "device; directly where {condition}"),
            Self::AsNamed => f.write_str("as what it names"),
        }
    }
}
