use ndarray::Array2;

/// Equity and requirement at some holdings, and the planes that touch them there, quote units.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Equity, before the cost of any trade.
    pub equity: f64,
    /// Requirement; ≥ 0.
    pub requirement: f64,
    /// Equity gained per unit added to each holding: `[n_legs]`.
    pub equity_gradient: Vec<f64>,
    /// Requirement added per unit added to each holding: `[n_legs]`. Where several scenarios tie, that of any of them.
    pub requirement_gradient: Vec<f64>,
}

impl Plane {
    /// Whether every number is finite.
    pub(super) fn is_finite(&self) -> bool {
        let gradients = self.equity_gradient.iter().chain(&self.requirement_gradient);
        self.equity.is_finite() && self.requirement.is_finite() && gradients.copied().all(f64::is_finite)
    }
}

/// What a rulebook makes of holdings.
pub trait Landscape {
    /// Equity, requirement and their planes at these holdings: `[n_legs]`, in the units of the legs.
    fn plane(&mut self, holdings: &[f64]) -> Plane;
}

/// The plainest portfolio margin: the largest loss over scenarios, at least 0; trading at market leaves equity as it is.
#[derive(Debug, Clone)]
pub struct ScenarioLosses {
    /// Equity, quote units.
    pub equity: f64,
    /// Loss of one unit of each holding under each scenario, quote units: `[n_scenarios × n_legs]`.
    pub losses: Array2<f64>,
}

impl Landscape for ScenarioLosses {
    fn plane(&mut self, holdings: &[f64]) -> Plane {
        let mut plane = Plane {
            equity: self.equity,
            requirement: 0.0,
            equity_gradient: vec![0.0; holdings.len()],
            requirement_gradient: vec![0.0; holdings.len()],
        };
        for losses in self.losses.rows() {
            let loss: f64 = losses.iter().zip(holdings).map(|(loss, holding)| loss * holding).sum();
            if loss > plane.requirement {
                plane.requirement = loss;
                plane.requirement_gradient = losses.to_vec();
            }
        }
        plane
    }
}
