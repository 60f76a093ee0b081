//! Rulebooks of components: every engine equals the reference, wherever a pool's requirement is evaluated.

use plimsoll::engine::{EngineChoice, State};
use plimsoll::margin::component::KINDS;
use plimsoll::margin::{Rulebook, Rules, Setting, revalue};
use plimsoll::pricing::Unshocked;
use plimsoll::program::{Builder, Instruction, Reduction, row_ranges};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::books::{self, Case};
use crate::component_books::{self, POOLS};
use crate::component_rules::{alone, mixed, rulebook};
use crate::engines::{assert_same_but, engines, run};

/// Rulebooks per kind.
const VARIANTS: usize = 3;
const MIXED: usize = 14;

/// How many pools are evaluated where; a pool that a device cannot hold in f32 is not told apart.
#[derive(Debug, Default, Clone, Copy)]
struct Routes {
    device: usize,
    /// Ranks and tails: the CPU's kernel.
    kernel: usize,
    direct: usize,
    /// No scenario changes anything.
    constant: usize,
}

impl Routes {
    fn of(case: &Case) -> Self {
        let rules = Rules::resolve(&case.rulebook, &case.snapshot).expect("rules");
        let rows = revalue(&rules, &case.snapshot, &case.scenarios, Unshocked::Refuse).expect("rows");
        let ranges = row_ranges(&rows);
        let setting = Setting { snapshot: &case.snapshot, rules: &rules, rows: &rows };
        let mut builder = Builder::new(&ranges);
        for pool in case.snapshot.book.pools() {
            setting.lower(&pool, &mut builder);
            builder.finish_pool();
        }
        let program = builder.build();
        let mut routes = Self::default();
        for index in 0..program.pools.len() {
            let parts = program.parts(index);
            let is_order =
                |step: &Instruction| matches!(step, Instruction::Reduce(Reduction::Rank(_) | Reduction::Tail { .. }));
            *match () {
                () if parts.pool.direct => &mut routes.direct,
                () if parts.is_constant() => &mut routes.constant,
                () if parts.code.iter().any(is_order) => &mut routes.kernel,
                () => &mut routes.device,
            } += 1;
        }
        routes
    }

    fn add(&mut self, other: Self) {
        self.device += other.device;
        self.kernel += other.kernel;
        self.direct += other.direct;
        self.constant += other.constant;
    }
}

/// Asserts that all engines agree; answers where pools were evaluated.
fn check(name: &str, case: &Case) -> Routes {
    let routes = Routes::of(case);
    let reference = run(case, EngineChoice::Reference);
    let breaches: u32 = reference.pools.iter().map(|pool| pool.liquidatable_scenarios).sum();
    let healthy = reference.pools.iter().filter(|pool| pool.state == State::Healthy).count();
    let verdicts = case.snapshot.book.len() * case.scenarios.len();
    let mut said =
        format!("{name}: {routes:?}; {breaches} of {verdicts} verdicts liquidatable, {healthy} pools healthy at base");
    for engine in engines().into_iter().filter(|engine| *engine != EngineChoice::Reference) {
        let outcome = run(case, engine.clone());
        said += &format!(
            "\n    {}: {} pools re-decided, {} verdicts exactly, audit ratio {:.3}",
            outcome.engine, outcome.redecided_pools, outcome.exact_verdicts, outcome.audit.worst_bound_ratio,
        );
        // The software adapter gives a group of very many steps up, and the CPU goes on; these books stay below.
        assert_eq!(outcome.engine == "gpu", matches!(engine, EngineChoice::Gpu(_)), "{:?}", outcome.warnings);
        // Charges on offsets are differences of amounts as large as the book.
        let gross: f64 = reference.pools.iter().map(|pool| pool.base.gross_notional).sum();
        assert_same_but(&reference, &outcome, 1e-9 * gross);
    }
    println!("{said}");
    routes
}

#[test]
fn every_kind_alone_is_the_same_on_every_engine() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut all = Routes::default();
    for kind in KINDS {
        for variant in 0..VARIANTS {
            let case = component_books::random(POOLS, alone(kind.name, &mut random), 100 + variant as u64);
            all.add(check(&format!("{} {variant}", kind.name), &case));
        }
    }
    println!("all: {all:?}");
    assert!(all.device > 0 && all.kernel > 0 && all.direct > 0, "{all:?}");
}

#[test]
fn mixtures_of_kinds_are_the_same_on_every_engine() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut all = Routes::default();
    for variant in 0..MIXED {
        let kinds = [KINDS[variant % KINDS.len()].name, KINDS[(3 * variant + 1) % KINDS.len()].name];
        let rulebook = mixed(&kinds, &mut random);
        let requirement = rulebook.requirement.as_ref().expect("a requirement").maintenance.to_string();
        let ordinary = component_books::random(POOLS, rulebook, 200 + variant as u64);
        // On their thresholds, but for requirements that read a dollar balance.
        let ulp = 2f64.powi(if variant % 2 == 0 { -24 } else { -52 });
        all.add(check(&requirement, &books::near_thresholds(&ordinary, ulp, variant as u64)));
    }
    println!("all: {all:?}");
    assert!(all.device > 0 && all.kernel > 0 && all.direct > 0, "{all:?}");
}

/// Rulebooks whose requirement does not depend on a dollar balance.
fn for_thresholds() -> Vec<(&'static str, Rulebook)> {
    let own = |component: &str| rulebook(&format!("[component.own]\n{component}"), "1.5 * own", "own");
    vec![
        (
            "grid",
            own("kind = \"grid\"\nprices = [-1, -0.5, 0.5, 1]\nvolatilities = [-1, 1]\nrange = 0.15\n\
                      volatility = { up = 0.4, down = 0.2 }\ngain_share = 0.5"),
        ),
        (
            "grid in coins",
            own("kind = \"grid\"\nprices = [-1, -0.5, 0.5, 1]\nrange = 0.15\nper = \"settlement\"\n\
                               extremes = { prices = [-0.66, 2] }\ndampener = 1000\ngain_share = 0\n\
                               collateral = [\"BTC\", \"ETH\", \"SOL\"]"),
        ),
        (
            "span",
            own("kind = \"span\"\nrange = 0.12\ncharge_unit = \"index\"\nshort_options = { rate = 0.02 }\n\
                      tiers = [20]\nspreads = [{ tiers = [1, 2], rate = 0.01 }]"),
        ),
        (
            "span with credits",
            own("kind = \"span\"\nrange = 0.12\nper = \"pool\"\ninter = [{ rate = 0.7, legs = [\
                      { underlying = \"BTC\", side = \"a\" }, { underlying = \"ETH\", ratio = 15, side = \"b\" }] }]"),
        ),
        (
            "value at risk",
            own("kind = \"tail\"\nset = \"moves\"\nmeasure = \"value_at_risk\"\nconfidence = 0.9\n\
                               per = \"pool\""),
        ),
        (
            "expected shortfall",
            own("kind = \"tail\"\nset = \"moves\"\nmeasure = \"expected_shortfall\"\n\
                                    confidence = 0.9\nper = \"pool\"\ncollateral = [\"BTC\"]"),
        ),
    ]
}

#[test]
fn pools_on_a_threshold_are_the_same_on_every_engine() {
    for (at, (name, rulebook)) in for_thresholds().into_iter().enumerate() {
        let ordinary = component_books::random(2 * POOLS, rulebook, 300 + at as u64);
        for ulp in [2f64.powi(-24), 2f64.powi(-52)] {
            let case = books::near_thresholds(&ordinary, ulp, 17);
            check(&format!("{name}, ulp {ulp:e}"), &case);
            let cpu = run(&case, EngineChoice::Cpu);
            // One scenario in 48 is aimed at; f64 cannot tell the sign of what lies within an ulp of f64.
            let is_fine = ulp < 1e-10;
            assert!(!is_fine || cpu.exact_verdicts > POOLS as u64 / 2, "{name}: {} exactly", cpu.exact_verdicts);
        }
    }
}

#[test]
fn a_maintenance_margin_below_zero_is_none_and_hides_no_bankruptcy() {
    let component = "[component.own]\nkind = \"delta\"\nnet_rate = 0.01";
    for (initial, maintenance) in
        [("own - 2 * gross_notional", "own - 3 * gross_notional"), ("own", "own - gross_notional")]
    {
        let rulebook = rulebook(component, initial, maintenance);
        let case = component_books::random(POOLS, rulebook, 320);
        let reference = run(&case, EngineChoice::Reference);
        assert!(reference.pools.iter().all(|pool| pool.base.maintenance_margin >= 0.0));
        assert!(reference.pools.iter().any(|pool| pool.bankrupt_scenarios > 0));
        check(maintenance, &case);
    }
}
