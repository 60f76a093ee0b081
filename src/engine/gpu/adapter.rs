//! Which adapter: chosen explicitly, never a software one unless asked for by name or index.

use crate::error::{Error, Result};

/// What a person needs to know of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterSummary {
    /// Name, for example `NVIDIA H200`.
    pub name: String,
    /// Driver name and version.
    pub driver: String,
    /// `vulkan`, `metal`, `dx12`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `software`, `other`.
    pub kind: &'static str,
}

impl AdapterSummary {
    /// What an adapter says of itself.
    pub fn of(info: &wgpu::AdapterInfo) -> Self {
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        };
        let driver = format!("{} {}", info.driver, info.driver_info).trim().to_string();
        Self { name: info.name.clone(), driver, backend: info.backend.to_string(), kind }
    }

    /// Whether this is a GPU rather than a program that pretends to be one.
    pub fn is_hardware(&self) -> bool {
        matches!(self.kind, "discrete" | "integrated" | "virtual")
    }
}

impl std::fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {}, {})", self.name, self.kind, self.backend, self.driver)
    }
}

/// All adapters of this machine, discrete ones first.
pub fn adapters() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::PRIMARY;
    // Validation layers and labels are for debugging a kernel, not for a nightly run.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor.with_env());
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    adapters.sort_by_key(|adapter| match AdapterSummary::of(&adapter.get_info()).kind {
        "discrete" => 0,
        "integrated" => 1,
        "virtual" => 2,
        "other" => 3,
        _ => 4,
    });
    adapters
}

/// The first hardware adapter, or the one asked for: by position in [`adapters`], or by a case-insensitive part of its name.
///
/// # Errors
/// [`Error::NoAdapter`], listing what there is.
pub fn choose(asked: Option<&str>) -> Result<wgpu::Adapter> {
    let all = adapters();
    let summaries: Vec<AdapterSummary> = all.iter().map(|adapter| AdapterSummary::of(&adapter.get_info())).collect();
    let found = position(&summaries, asked).and_then(|index| all.into_iter().nth(index));
    found.ok_or_else(|| none_like(asked, &summaries))
}

/// Those asked for, each as in [`choose`]; every hardware adapter where none is. One that is named twice comes twice.
///
/// # Errors
/// As [`choose`].
pub fn choose_several(asked: &[String]) -> Result<Vec<wgpu::Adapter>> {
    if !asked.is_empty() {
        return asked.iter().map(|name| choose(Some(name))).collect();
    }
    let is_hardware = |adapter: &wgpu::Adapter| AdapterSummary::of(&adapter.get_info()).is_hardware();
    let found: Vec<wgpu::Adapter> = adapters().into_iter().filter(is_hardware).collect();
    if found.is_empty() { choose(None).map(|adapter| vec![adapter]) } else { Ok(found) }
}

/// The error of an adapter that is not there.
pub fn none_like(asked: Option<&str>, summaries: &[AdapterSummary]) -> Error {
    let list = match summaries {
        [] => "there is none".to_string(),
        _ => summaries.iter().enumerate().map(|(k, summary)| format!("{k}: {summary}")).collect::<Vec<_>>().join("; "),
    };
    let wanted = asked.map_or("a hardware GPU".to_string(), |asked| format!("an adapter like {asked:?}"));
    Error::NoAdapter(format!(
        "no adapter: wanted {wanted}; adapters here: {list}. A software adapter is used only if named with --adapter"
    ))
}

/// Which of the adapters [`choose`] takes.
pub fn position(summaries: &[AdapterSummary], asked: Option<&str>) -> Option<usize> {
    match asked {
        None => summaries.iter().position(AdapterSummary::is_hardware),
        // A number beyond the list is part of a name: 4090.
        Some(asked) => asked.parse::<usize>().ok().filter(|&index| index < summaries.len()).or_else(|| {
            let asked = asked.to_lowercase();
            summaries.iter().position(|summary| summary.name.to_lowercase().contains(&asked))
        }),
    }
}
