//! Several devices on one adapter: who does what does not show, and what one leaves the others do.

use super::*;

/// Sweeps a case in chunks of 64 pools on several devices, none of which can be reopened.
fn sweep_on_devices(case: &Case, devices: Vec<Device>) -> Result<Outcome> {
    let devices: Vec<Arc<Device>> = devices.into_iter().map(Arc::new).collect();
    sweep_by(
        case,
        Box::new(move |job, merge| {
            let lost = || Err(Error::Temporary("it does not open again".into()));
            let sources = devices.iter().flat_map(|device| only(device, lost)).collect();
            run_on(sources, Filter::Certified, job, merge)
        }),
    )
}

#[test]
fn several_devices_answer_as_one() {
    let Some(adapter) = adapter() else { return };
    let case = random(900, 300);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    for n_devices in [1, 2, 3] {
        let devices: Vec<Device> = (0..n_devices).map(|_| open(&adapter)).collect();
        let outcome = sweep_on_devices(&case, devices).expect("the sweep succeeds");
        assert_eq!((outcome.engine.as_str(), outcome.warnings.len()), ("gpu", 0), "{:?}", outcome.warnings);
        assert_eq!(outcome.adapter.split("; ").count(), n_devices);
        assert_same(&outcome, &expected);
    }
}

/// A wrong answer of either device fails the run: both take part.
#[test]
fn every_device_takes_part() {
    let Some(adapter) = adapter() else { return };
    let case = random_without_options(900, 300);
    let row = case.snapshot.instruments.iter().position(|i| i.name == "BTC-USDT").expect("BTC-USDT");
    let moved = Rc::new(RefCell::new(0));
    let kept = Rc::clone(&moved);
    with_job(&case, move |job| {
        *kept.borrow_mut() = job.setting.rows.of_instrument(row as u32).expect("it is held") as usize;
    });
    let row = moved.take();
    for broken_one in [0, 1] {
        let device = |k: usize| {
            if k == broken_one { broken(&adapter, Fault::scaled_row(row, 1.05)) } else { open(&adapter) }
        };
        let outcome = sweep_on_devices(&case, vec![device(0), device(1)]).map(|outcome| outcome.engine);
        let error = outcome.expect_err("a device answers wrongly");
        assert_eq!(error.exit_code(), 4, "{error}");
    }
}

#[test]
fn what_a_lost_device_had_taken_the_others_do() {
    let Some(adapter) = adapter() else { return };
    let case = random(900, 300);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    for lost in [0, 1] {
        let device = |k: usize| if k == lost { broken(&adapter, Fault::lives(2)) } else { open(&adapter) };
        let outcome = sweep_on_devices(&case, vec![device(0), device(1)]).expect("the sweep succeeds");
        println!("{:?}", outcome.warnings);
        assert_eq!(outcome.engine, "gpu");
        assert!(outcome.warnings.iter().any(|warning| warning.contains("the other devices went on")));
        assert_same(&outcome, &expected);
    }
}

#[test]
fn what_all_devices_leave_the_cpu_does() {
    let Some(adapter) = adapter() else { return };
    let case = random(900, 300);
    let expected = sweep_plainly(&case, EngineChoice::Cpu);
    let devices = [2, 3].map(|lives| broken(&adapter, Fault::lives(lives))).into();
    let outcome = sweep_on_devices(&case, devices).expect("the sweep succeeds");
    println!("{:?}", outcome.warnings);
    assert_eq!(outcome.engine, "gpu+cpu");
    assert_same(&outcome, &expected);
}
