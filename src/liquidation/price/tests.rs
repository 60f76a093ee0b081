use super::*;

fn assert_near(value: Option<f64>, expected: f64, tolerance: f64) {
    assert!(value.is_some_and(|value| (value - expected).abs() <= tolerance), "{value:?} is not {expected}");
}

fn holding(quantity: f64, entry_price: f64, maintenance_rate: f64) -> Holding {
    Holding { quantity, entry_price, maintenance_rate, deduction_quote: 0.0 }
}

fn wallet(wallet_quote: f64) -> Rest {
    Rest { wallet_quote, ..Rest::default() }
}

/// The example of Binance's page, carried by freqtrade's tests.
#[test]
fn liquidation_price_with_a_deduction() {
    let long = Holding { deduction_quote: 135_365.0, ..holding(3683.979, 1456.84, 0.1) };
    assert_near(liquidation_price(&long, &wallet(1_535_443.01)), 1114.78, 0.006);
}

/// TorchTrade's case: collateral 5, one unit from 100 at 0.4 %, 4 of maintenance margin elsewhere.
#[test]
fn liquidation_price_counts_the_margin_of_others() {
    let rest = Rest { wallet_quote: 5.0, maintenance_quote: 4.0, profit_quote: 0.0 };
    assert_near(liquidation_price(&holding(1.0, 100.0, 0.004), &rest), 99.3976, 5e-5);
}

#[test]
fn equity_is_what_the_price_says() {
    let rest = Rest { wallet_quote: 900.0, maintenance_quote: 120.0, profit_quote: -210.0 };
    for quantity in [2.5, -2.5] {
        let held = Holding { deduction_quote: 7.0, ..holding(quantity, 1500.0, 0.05) };
        let equity = |price: f64| rest.wallet_quote + rest.profit_quote + quantity * (price - held.entry_price);
        let maintenance = |price: f64| rest.maintenance_quote + quantity.abs() * price * held.maintenance_rate - 7.0;
        let price = liquidation_price(&held, &rest).unwrap();
        assert!((equity(price) - maintenance(price)).abs() < 1e-9);
        assert!(equity(bankruptcy_price(&held, &rest).unwrap()).abs() < 1e-9);
        // Hyperliquid's form, from any mark.
        let (mark, side) = (1450.0, quantity.signum());
        let available = equity(mark) - maintenance(mark);
        let documented = mark - side * available / quantity.abs() / (1.0 - 0.05 * side);
        assert!((documented - price).abs() < 1e-9);
    }
}

/// The five positions of Chitra et al., entered at 1. Their last liquidation price is printed 1.0010; (109/99)/1.1 is 1.00092.
#[test]
fn published_bankruptcy_prices() {
    let positions = [
        (1.0, 2.0, 0.0, 0.0),
        (1.0, 2.0 / 3.0, 1.0 / 3.0, 0.3704),
        (-4.0, 8.0 / 3.0, 5.0 / 3.0, 1.5152),
        (1.0, 2.0 / 19.0, 17.0 / 19.0, 0.9942),
        (-1.0, 10.0 / 99.0, 109.0 / 99.0, 1.0009),
    ];
    for (quantity, collateral, bankruptcy, liquidation) in positions {
        let (held, rest) = (holding(quantity, 1.0, 0.1), wallet(collateral));
        assert_near(bankruptcy_price(&held, &rest), bankruptcy, 1e-15);
        assert_near(liquidation_price(&held, &rest), liquidation, 5e-5);
    }
}

#[test]
fn prices_that_do_not_exist() {
    assert_eq!(liquidation_price(&holding(0.0, 1.0, 0.1), &wallet(1.0)), None);
    assert_eq!(bankruptcy_price(&holding(0.0, 1.0, 0.1), &wallet(1.0)), None);
    assert_eq!(liquidation_price(&holding(1.0, 1.0, 1.0), &wallet(1.0)), None);
    // A short that owes more than it was sold for is liquidatable at every price.
    assert_eq!(liquidation_price(&holding(-1.0, 1.0, 0.1), &wallet(-2.0)), Some(0.0));
}

/// 0.1 BTC at 50,000 with 10 % of maintenance margin and a spread of 10 % of that.
#[test]
fn published_fillable_prices() {
    let long = Fill {
        quantity: 0.1,
        notional_quote: 5000.0,
        position_maintenance_quote: 500.0,
        equity_quote: 5000.0 - 4501.0,
        maintenance_quote: 500.0,
        adjustment: 1.0,
        spread: 0.1,
    };
    let short = Fill { quantity: -0.1, notional_quote: -5000.0, equity_quote: 5499.0 - 5000.0, ..long };
    let figures = [
        (long, 49_999.0),
        (Fill { adjustment: 2.0, ..long }, 49_998.0),
        (Fill { spread: 0.2, ..long }, 49_998.0),
        (short, 50_001.0),
        (Fill { equity_quote: 0.0, ..long }, 49_500.0),
        (Fill { equity_quote: -1000.0, ..long }, 49_500.0),
        (Fill { equity_quote: 600.0, ..long }, 50_000.0),
    ];
    for (fill, printed) in figures {
        assert_near(fill.price(), printed, 1e-9);
    }
    assert_eq!(Fill { quantity: 0.0, ..long }.price(), None);
    assert_eq!(Fill { maintenance_quote: 0.0, ..long }.price(), None);
}

#[test]
fn a_slice_pays_its_share_of_the_equity_rounded_up() {
    let all = Slice { notional_change: -5000, maintenance_change: -500 };
    assert_eq!(bankruptcy_quanta(all, 499, 500), Some(5000 - 499));
    let third = Slice { notional_change: -1666, maintenance_change: -167 };
    // 1666 − 499·167/500 = 1499.334; with a debt of 499: 1832.666.
    assert_eq!(bankruptcy_quanta(third, 499, 500), Some(1500));
    assert_eq!(bankruptcy_quanta(third, -499, 500), Some(1833));
    let short = Slice { notional_change: 1666, maintenance_change: -167 };
    assert_eq!(bankruptcy_quanta(short, 499, 500), Some(-1832));
    // An exact share is not rounded, whatever its sign.
    let exact = Slice { notional_change: 0, maintenance_change: -250 };
    assert_eq!(bankruptcy_quanta(exact, -500, 500), Some(250));
    assert_eq!(bankruptcy_quanta(exact, 500, 500), Some(-250));
}

#[test]
fn a_slice_fits_or_is_refused() {
    let huge = Slice { notional_change: 0, maintenance_change: -i128::MAX };
    assert_eq!(bankruptcy_quanta(huge, i128::MAX, i128::MAX), Some(-i128::MAX));
    assert_eq!(bankruptcy_quanta(huge, i128::MAX, 1), None);
    assert_eq!(bankruptcy_quanta(Slice { notional_change: i128::MIN, maintenance_change: 0 }, 0, 1), None);
    assert_eq!(bankruptcy_quanta(huge, 0, 0), None);
}

#[test]
fn a_factor_moves_a_book_to_its_limits() {
    // Longs of 900 with β = 1 and shorts of 200 with β = 1.5, 10 % of maintenance margin: at −20 % on the factor.
    let book = FactorBook {
        equity_quote: 120.0,
        maintenance_quote: 110.0,
        exposure_quote: 900.0 - 300.0,
        maintenance_exposure_quote: 90.0 + 30.0,
    };
    assert_near(book.move_to_bankruptcy(), -0.2, 1e-15);
    let moved = book.move_to_liquidation().unwrap();
    let equity = book.equity_quote + book.exposure_quote * moved;
    assert!((equity - (110.0 + 120.0 * moved)).abs() < 1e-12);
    assert!(moved < 0.0 && moved > -0.2);
    let flat = FactorBook { exposure_quote: 0.0, maintenance_exposure_quote: 0.0, ..book };
    assert_eq!((flat.move_to_bankruptcy(), flat.move_to_liquidation()), (None, None));
}
