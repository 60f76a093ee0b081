//! Published figures.

mod properties;

use super::*;
use crate::policy::CutRule;

/// The rules that read legs alone.
const RULES: [CutRule; 6] = [
    CutRule::Full,
    CutRule::MinCost,
    CutRule::LeastNotional,
    CutRule::ProRata,
    CutRule::LargestLoss,
    CutRule::LargestRelief,
];

/// Half a unit of the last of `digits` printed decimals.
fn assert_printed(value: f64, printed: f64, digits: i32) {
    assert!((value - printed).abs() <= 0.5000001 * 10f64.powi(-digits), "{value} is not printed as {printed}");
}

fn total_cost(legs: &[Leg], cuts: &[f64]) -> f64 {
    legs.iter().zip(cuts).map(|(leg, cut)| leg.cost_quote(*cut)).sum()
}

fn cuts(choice: Choice) -> Vec<f64> {
    match choice {
        Choice::Cuts(cuts) => cuts,
        Choice::Infeasible => panic!("a restoration exists"),
    }
}

fn leg(notional_quote: f64, relief: f64, cost: f64, impact: LegImpact) -> Leg {
    Leg { notional_quote, relief, cost, impact, profit_quote: 0.0 }
}

/// Three positions of a pool with E = 34,000 and M = 40,000.
fn three_legs(impacts: [LegImpact; 3]) -> Vec<Leg> {
    let [a, b, c] = impacts;
    vec![leg(1e6, 0.01, 0.0003, a), leg(5e5, 0.02, 0.001, b), leg(2e5, 0.1, 0.01, c)]
}

fn ten_thousand_short() -> Target {
    Target { shortfall_quote: 1.1 * 40_000.0 - 34_000.0, health: 1.1 }
}

#[test]
fn three_legs_without_impact() {
    let (legs, target) = (three_legs([LegImpact::None; 3]), ten_thousand_short());
    let cheapest = cuts(min_cost(&legs, target));
    assert_printed(cheapest[0], 934_579.44, 2);
    assert_eq!(&cheapest[1..], [0.0, 0.0]);
    assert_printed(total_cost(&legs, &cheapest), 280.37, 2);

    let smallest = cuts(least_notional(&legs, target));
    assert_eq!(&smallest[..2], [0.0, 0.0]);
    assert_printed(smallest[2], 100_000.0, 6);
    assert_printed(total_cost(&legs, &smallest), 1000.0, 6);

    let shared = cuts(pro_rata(&legs, target));
    for (leg, cut) in legs.iter().zip(&shared) {
        assert_printed(cut / leg.notional_quote, 0.242718, 6);
    }
    assert_printed(total_cost(&legs, &shared), 679.61, 2);
}

#[test]
fn three_legs_with_linear_impact() {
    let legs = three_legs([2e-9, 8e-9, 2e-7].map(|slope| LegImpact::Linear { slope }));
    let cheapest = cuts(min_cost(&legs, ten_thousand_short()));
    for (cut, printed) in cheapest.iter().zip([478_826.29, 189_413.14, 12_882.63]) {
        assert_printed(*cut, printed, 2);
    }
    assert_printed(total_cost(&legs, &cheapest), 851.27, 2);
}

#[test]
fn three_legs_with_square_root_impact() {
    let markets: [(f64, f64); 3] = [(0.02, 2e9), (0.025, 8e8), (0.05, 1e8)];
    let legs = three_legs(markets.map(|(volatility, volume)| {
        let coefficient = volatility / volume.sqrt();
        LegImpact::SquareRoot { coefficient }
    }));
    let cheapest = cuts(min_cost(&legs, ten_thousand_short()));
    assert_printed(cheapest[0], 556_517.02, 2);
    assert_printed(cheapest[1], 205_390.89, 2);
    assert_eq!(cheapest[2], 0.0);
    assert_printed(total_cost(&legs, &cheapest), 640.29, 2);
}

/// Chitra et al.: a short of 1 at 5.5 with equity −4.399, bought back at 5.55 with a fee of 30 bps, μ = 10 %.
#[test]
fn a_slice_beyond_the_position_closes_it_whole() {
    let (mark, execution, equity) = (5.5, 5.55, -4.399);
    let short = leg(mark, 0.1, 0.003 + (execution - mark) / mark, LegImpact::None);
    let target = Target { shortfall_quote: 0.1 * mark - equity, health: 1.0 };
    assert_printed(target.shortfall_quote, 4.949, 12);
    assert_printed(short.gain_rate(target) * mark, 0.4835, 12);
    assert_printed(single(&short, target).unwrap() / mark, 10.2358, 4);
    assert_eq!(min_cost(&[short], target), Choice::Infeasible);
    assert_eq!(full(&[short], target), Choice::Cuts(vec![mark]));
}

#[test]
fn perpetual_quantities() {
    let figures = [
        (0.0, 0.0, 1.0, 1.0),
        (0.0, 0.0, 0.99, 1.010101010),
        (0.0, 0.0, 1.01, 0.990099010),
        (0.01, 0.0, 1.0, 1.111111111),
        (0.01, 0.01, 1.0, 1.25),
    ];
    for (liquidator_fee, insurance_fee, settlement_price, printed) in figures {
        let cut = PerpetualCut { price: 100.0, settlement_price, maintenance_rate: 0.1, liquidator_fee, insurance_fee };
        assert_printed(cut.quantity(10.0).unwrap(), printed, 9);
        assert_eq!(cut.quantity(-1.0), Some(0.0));
        assert_eq!(PerpetualCut { liquidator_fee: 0.1, ..cut }.quantity(10.0), None);
    }
}

/// Weights 0.8 and 1.2, price 100, shortage 10: without fees, with 10 % on both legs, with 1 % insurance, with both.
#[test]
fn borrowed_quantities() {
    let figures = [
        (0.0, 0.0, 0.25),
        (1.1 / 0.9 - 1.0, 0.0, 0.45),
        (0.0, 0.01, 0.257731959),
        (1.1 / 0.9 - 1.0, 0.01, 0.475687104),
    ];
    for (bonus, insurance_fee, printed) in figures {
        let seizure = Seizure { target: 1.2, threshold: 0.8, bonus, insurance_fee };
        assert_printed(seizure.repayment_quote(10.0).unwrap() / 100.0, printed, 9);
    }
    let even = Seizure { target: 1.0, threshold: 1.0, bonus: 0.0, insurance_fee: 0.0 };
    assert_eq!(even.repayment_quote(10.0), None);
}

/// 3000 OSMO at 0.25 (threshold 0.78) and 600 ATOM at 1.28 (0.9) against 1001 ATOM of debt, target 1.2, values rounded to
/// units as there: collateral down, debt up.
#[test]
fn a_loan_is_restored_to_its_target() {
    let (debt, collateral) = (1282.0_f64, 1276.0_f64);
    let bonus = SeizureBonus { start: 0.01, slope: 2.0, low: 0.02, high: 0.1 }.at(collateral / debt, 1518.0 / debt);
    let seizure = Seizure { target: 1.2, threshold: 0.78, bonus, insurance_fee: 0.0 };
    let repaid = (seizure.repayment_quote((1.2 * debt).floor() - collateral).unwrap().floor() / 1.28).floor();
    assert_eq!(repaid, 505.0);
    let repaid_quote = (repaid * 1.28).floor();
    let seized = seizure.seized_quote(repaid_quote).floor() / 0.25;
    let fee = ((repaid_quote * bonus).floor() * 0.02).ceil() / 0.25;
    assert_eq!((seized, seized - fee, fee), (2632.0, 2628.0, 4.0));
    let health = ((3000.0 - seized) * 0.25 * 0.78 + 691.2) / ((1001.0 - repaid) * 1.28);
    assert_printed(health, 1.2, 2);
}

#[test]
fn a_bonus_lies_between_its_limits() {
    let bonus = SeizureBonus { start: 0.01, slope: 2.0, low: 0.02, high: 0.1 };
    assert_eq!(bonus.at(1.0, 1.5), 0.01, "the start is below the low limit and counts");
    assert_eq!(bonus.at(0.5, 1.5), 0.1);
    assert_eq!(bonus.at(0.5, 0.9), 0.02, "no surplus leaves the low limit");
}

/// One unit of collateral taken with fees of 2.5 % + 2.5 %: a loan of 81.82 against 90 improves, but is still short.
#[test]
fn a_step_of_seizure_improves_without_restoring() {
    let seizure = Seizure { target: 1.05, threshold: 0.95, bonus: 1.0 / 0.95 - 1.0, insurance_fee: 0.0 };
    let (seized, repaid) = (1.0, 0.95);
    assert_printed(seizure.seized_quote(repaid), seized, 12);
    assert_printed(81.82 - repaid, 80.87, 12);
    let before = 0.95 * 90.0 - 1.05 * 81.82;
    assert_printed(before + seizure.gain() * repaid, -0.3635, 12);
}

#[test]
fn a_seizure_is_toxic_without_a_surplus_above_the_bonus() {
    assert!(!is_seizure_toxic(1.1001, 1.0, 0.1));
    assert!(is_seizure_toxic(1.0999, 1.0, 0.1));
    for (collateral, lowers) in [(1.2, false), (1.05, true)] {
        let after = (collateral - 0.1 * 1.1) / (1.0 - 0.1);
        assert_eq!(after < collateral, lowers);
        assert_eq!(is_seizure_toxic(collateral, 1.0, 0.1), lowers);
    }
}

#[test]
fn auctioned_shares() {
    assert_printed(auction_share(-100.0, 500.0, 0.0, 0.95), 0.17391304347826086, 12);
    assert_printed(auction_share(-100.0, 500.0, 200.0, 0.95), 100.0 / (100.0 + 475.0 + 10.0), 12);
    assert_eq!(auction_share(0.0, 500.0, 0.0, 0.95), 0.0);
    assert_eq!(auction_share(-100.0, -5.0, 0.0, 0.95), 1.0);
}

#[test]
fn ordered_rules_cut_whole_legs_first() {
    let mut legs = three_legs([LegImpact::None; 3]);
    for (leg, profit) in legs.iter_mut().zip([-10.0, 50.0, -400.0]) {
        leg.profit_quote = profit;
    }
    // Gains of whole legs: 10,700, 10,500, 20,000.
    let target = Target { shortfall_quote: 25_000.0, health: 1.1 };
    let lost = cuts(largest_loss(&legs, target));
    assert_eq!(&lost[1..], [0.0, 2e5]);
    assert_printed(lost[0], 5000.0 / 0.0107, 6);
    // Relief: 10,000, 10,000, 20,000; of equals the first.
    assert_eq!(cuts(largest_relief(&legs, target)), lost);
    legs[1].notional_quote *= 1.001;
    let relieved = cuts(largest_relief(&legs, target));
    assert_eq!((relieved[0], relieved[2]), (0.0, 2e5));
}

#[test]
fn toxic_legs_stay() {
    let legs = vec![
        leg(1e6, 0.01, 0.0111, LegImpact::None),
        leg(1e6, -0.01, 0.0, LegImpact::None),
        leg(1e5, 0.1, 0.0, LegImpact::None),
    ];
    for rule in RULES.into_iter().skip(1) {
        let cuts = cuts(choose(rule, &legs, Target { shortfall_quote: 5000.0, health: 1.1 }));
        assert_eq!(&cuts[..2], [0.0, 0.0], "{:?}", rule);
        assert_printed(cuts[2], 5000.0 / 0.11, 6);
        let beyond = Target { shortfall_quote: 11_000.1, health: 1.1 };
        assert_eq!(choose(rule, &legs, beyond), Choice::Infeasible, "{:?}", rule);
    }
}

#[test]
fn equal_legs_are_cut_by_index() {
    let legs = vec![leg(1e5, 0.1, 0.001, LegImpact::None); 3];
    let gain = 1e5 * (0.11 - 0.001);
    let target = Target { shortfall_quote: 1.5 * gain, health: 1.1 };
    for rule in [CutRule::MinCost, CutRule::LeastNotional, CutRule::LargestLoss, CutRule::LargestRelief] {
        let cuts = cuts(choose(rule, &legs, target));
        assert_eq!((cuts[0], cuts[2]), (1e5, 0.0), "{:?}", rule);
        assert_printed(cuts[1], 5e4, 6);
    }
}

#[test]
fn nothing_to_cut_and_nothing_to_cut_from() {
    let legs = three_legs([LegImpact::None; 3]);
    let empty = vec![leg(0.0, 0.1, 0.0, LegImpact::Linear { slope: 0.0 })];
    for rule in RULES {
        for shortfall_quote in [0.0, -5.0] {
            let healthy = Target { shortfall_quote, health: 1.1 };
            assert_eq!(choose(rule, &legs, healthy), Choice::Cuts(vec![0.0; 3]), "{:?}", rule);
            assert_eq!(choose(rule, &[], healthy), Choice::Cuts(vec![]), "{:?}", rule);
        }
        let short = ten_thousand_short();
        let (of_none, of_empty) = match rule {
            CutRule::Full => (Choice::Cuts(vec![]), Choice::Cuts(vec![0.0])),
            _ => (Choice::Infeasible, Choice::Infeasible),
        };
        assert_eq!(choose(rule, &[], short), of_none, "{:?}", rule);
        assert_eq!(choose(rule, &empty, short), of_empty, "{:?}", rule);
    }
    assert_eq!(full(&legs, ten_thousand_short()), Choice::Cuts(vec![1e6, 5e5, 2e5]));
}

#[test]
fn one_position_has_a_last_restorable_shortfall() {
    let rate = 0.11 - 0.01;
    let linear = leg(1e6, 0.1, 0.01, LegImpact::Linear { slope: 1e-6 });
    let root = leg(1e6, 0.1, 0.01, LegImpact::SquareRoot { coefficient: 2e-4 });
    // A²/2s at A/s, and A·x̂/3 at x̂ = (A/1.5a)².
    let peak = (rate / 3e-4) * (rate / 3e-4);
    for (leg, most, at) in [(linear, rate * rate / 2e-6, rate / 1e-6), (root, rate * peak / 3.0, peak)] {
        let target = |share: f64| Target { shortfall_quote: share * most, health: 1.1 };
        let cut = single(&leg, target(1.0 - 1e-12)).unwrap();
        assert!((cut / at - 1.0).abs() < 1e-5, "{cut} against {at}");
        assert_eq!(single(&leg, target(1.0 + 1e-9)), None);
        assert_eq!(single(&leg, target(0.0)), Some(0.0));
        let half = single(&leg, target(0.5)).unwrap();
        assert!((leg.gain_quote(half, target(0.5)) / (0.5 * most) - 1.0).abs() < 1e-14);
        assert!(half < at);
    }
    for impact in [LegImpact::None, linear.impact, root.impact] {
        let toxic = Leg { relief: 0.009, impact, ..linear };
        assert_eq!(single(&toxic, Target { shortfall_quote: 1.0, health: 1.1 }), None);
    }
}

#[test]
fn legs_are_filled_from_where_they_stand() {
    let legs = vec![leg(1e6, 0.1, 0.01, LegImpact::Linear { slope: 1e-8 }); 2];
    let target = Target { shortfall_quote: 90_000.0, health: 1.1 };
    let filled = fill::fill(&legs, target, [1, 0], vec![4e5, 3e5], &[8e5, 5e5]);
    assert_eq!(filled[1], 5e5);
    assert!(filled[0] > 4e5 && filled[0] < 8e5);
    assert_printed(choice::gain_quote(&legs, &filled, target), 90_000.0, 6);
}
