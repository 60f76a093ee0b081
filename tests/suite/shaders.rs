//! Every shader is valid on every backend, and its structs and constants are those of the host.

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};
use std::path::Path;

use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Expression, Handle, Literal, Module, ScalarKind, TypeInner};
use plimsoll::engine::gpu::layout;
use plimsoll::engine::plan::{DEVICE_TILE_SCENARIOS, GROUP_POOLS};
use plimsoll::program::STACK_DEPTH_MAX;

/// A file's name without its extension, and its text.
fn shaders() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut shaders: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder of shaders")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a shader"))
        })
        .collect();
    shaders.sort();
    shaders
}

fn parse(name: &str) -> Module {
    let shaders: BTreeMap<String, String> = shaders().into_iter().collect();
    naga::front::wgsl::parse_str(&shaders[name]).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn validate(name: &str, module: &Module) -> ModuleInfo {
    let validated = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(module);
    validated.unwrap_or_else(|error| panic!("{name}: {:?}", error.into_inner()))
}

#[test]
fn every_shader_can_be_written_for_every_backend() {
    let shaders = shaders();
    for (name, _) in &shaders {
        let module = parse(name);
        let info = validate(name, &module);
        let constants = Default::default();
        let (module, info) = process_overrides(&module, &info, None, &constants).expect(name);
        assert!(!module.entry_points.is_empty(), "{name}");
        let words = spv::write_vec(&module, &info, &spv::Options::default(), None).expect(name);
        let (metal, _) =
            msl::write_string(&module, &info, &msl::Options::default(), &msl::PipelineOptions::default()).expect(name);
        let mut text = String::new();
        hlsl::Writer::new(&mut text, &hlsl::Options::default(), &hlsl::PipelineOptions::default())
            .write(&module, &info, None)
            .expect(name);
        assert!(words.len() > 100 && metal.contains("kernel") && text.contains("numthreads"), "{name}");
        println!("{name}: {} words of SPIR-V, {} bytes of MSL, {} of HLSL", words.len(), metal.len(), text.len());
    }
    assert!(shaders.len() >= 3, "the shaders are found");
}

/// What a host field is: a number, or a vector of them.
trait Field {
    const KIND: ScalarKind;
    const WORDS: usize;
}

impl Field for u32 {
    const KIND: ScalarKind = ScalarKind::Uint;
    const WORDS: usize = 1;
}

impl Field for f32 {
    const KIND: ScalarKind = ScalarKind::Float;
    const WORDS: usize = 1;
}

impl<T: Field, const N: usize> Field for [T; N] {
    const KIND: ScalarKind = T::KIND;
    const WORDS: usize = N;
}

/// A field's name, offset, kind and number of words.
type FieldFacts<'s> = (&'s str, usize, ScalarKind, usize);

fn shape_of<S, T: Field>(_field: fn(&S) -> &T) -> (ScalarKind, usize) {
    (T::KIND, T::WORDS)
}

/// A host struct as data: name, size, and of each field name, offset, kind and words. Taking it apart makes the compiler
/// refuse a list that leaves a field out.
macro_rules! host {
    ($name:ident { $($field:ident),* }) => {{
        #[allow(dead_code, reason = "checked by the compiler, not run")]
        fn complete(layout::$name { $($field: _),* }: layout::$name) {}
        let fields: Vec<FieldFacts<'_>> = vec![$({
            let (kind, words) = shape_of(|value: &layout::$name| &value.$field);
            (stringify!($field), offset_of!(layout::$name, $field), kind, words)
        }),*];
        (stringify!($name), size_of::<layout::$name>(), fields)
    }};
}

fn assert_twin(module: &Module, (name, size, fields): (&str, usize, Vec<FieldFacts<'_>>)) {
    let found = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name));
    let (handle, ty) = found.unwrap_or_else(|| panic!("the shader has a struct {name}"));
    let TypeInner::Struct { members, span } = &ty.inner else { panic!("{name} is a struct") };
    let members: Vec<FieldFacts<'_>> = members
        .iter()
        .map(|member| {
            let (scalar, words) = match module.types[member.ty].inner {
                TypeInner::Scalar(scalar) => (scalar, 1),
                TypeInner::Vector { size, scalar } => (scalar, size as usize),
                ref other => panic!("{name} holds numbers, not {other:?}"),
            };
            assert_eq!(scalar.width, 4, "{name}");
            (member.name.as_deref().unwrap(), member.offset as usize, scalar.kind, words)
        })
        .collect();
    assert_eq!(members, fields, "{name}: shader left, host right");
    assert_eq!(*span as usize, size, "size of {name}");
    for (_, ty) in module.types.iter() {
        if let TypeInner::Array { base, stride, .. } = ty.inner
            && base == handle
        {
            assert_eq!(stride as usize, size, "stride of an array of {name}");
        }
    }
}

#[test]
fn host_structs_are_the_shaders() {
    let sweep = parse("sweep");
    validate("sweep", &sweep);
    assert_twin(&sweep, host!(Params { pool_count, row_count, scenario_count, tile_count, slice_start, slice_pools }));
    assert_twin(&sweep, host!(Pool { terms_and_kinks, code, quiet, gross, constants, errors }));
    assert_twin(&sweep, host!(Term { words }));
    assert_twin(&sweep, host!(Kink { words, weights, padding }));
    assert_twin(&sweep, host!(Instruction { operation, row, a, b, c }));
    assert_twin(
        &sweep,
        host!(PoolTile { lowest, lowest_scenario, second_lowest, counts, verdicts, equity, initial, maintenance }),
    );
    assert_twin(
        &sweep,
        host!(GroupScenario {
            restricted,
            liquidatable,
            bankrupt,
            equity,
            initial,
            maintenance,
            requirement,
            shortfall,
            shortfall_error,
            gross
        }),
    );
    assert_twin(&sweep, host!(UncertainVerdict { pool, scenario }));
    let revalue = parse("revalue");
    validate("revalue", &revalue);
    assert_twin(&revalue, host!(RevalueParams { contract_count, expiry_count, row_count, tile_count }));
    assert_twin(&revalue, host!(Contract { row, expiry, moneyness, strike, volatility, sign, contract, base }));
    let probe = parse("probe");
    assert_twin(&probe, host!(ProbeInput { a, b, c, subnormal, small }));
    assert_twin(&probe, host!(ProbeOutput { sum, product, product_sum, sum_error, from_subnormal, to_subnormal }));
    let ceiling = parse("ceiling");
    assert_twin(&ceiling, host!(CeilingParams { mask, steps, lanes, factor, addend }));
}

/// The uncertain list is one count and then the entries: the host reads it so.
#[test]
fn the_uncertain_list_starts_with_its_count() {
    let module = parse("sweep");
    let list = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("UncertainList")).expect("the list").1;
    let TypeInner::Struct { members, .. } = &list.inner else { panic!("a struct") };
    let offsets: Vec<u32> = members.iter().map(|member| member.offset).collect();
    assert_eq!(offsets, [0, size_of::<u32>() as u32]);
}

fn value(module: &Module, init: Handle<Expression>) -> u64 {
    match module.global_expressions[init] {
        Expression::Literal(Literal::U32(value)) => value.into(),
        ref other => panic!("a plain number, not {other:?}"),
    }
}

/// Unsigned constants and the defaults of overrides, by name.
fn constants(module: &Module) -> BTreeMap<String, u64> {
    let constants = module.constants.iter().filter_map(|(_, constant)| Some((constant.name.clone()?, constant.init)));
    let overrides = module.overrides.iter().filter_map(|(_, item)| Some((item.name.clone()?, item.init?)));
    constants
        .chain(overrides)
        .filter(|(_, init)| matches!(module.global_expressions[*init], Expression::Literal(Literal::U32(_))))
        .map(|(name, init)| (name, value(module, init)))
        .collect()
}

#[test]
fn host_constants_are_the_shaders() {
    let module = parse("sweep");
    let found = constants(&module);
    use layout::operation;
    let known = [
        ("CONSTANT", operation::CONSTANT as usize),
        ("TERM", operation::TERM as usize),
        ("ADD", operation::ADD as usize),
        ("MAX", operation::MAX as usize),
        ("MIN", operation::MIN as usize),
        ("ABS", operation::ABS as usize),
        ("SCALE", operation::SCALE as usize),
        ("SCALE_BY_ROW", operation::SCALE_BY_ROW as usize),
        ("SELECT", operation::SELECT as usize),
        ("FOLD", operation::FOLD as usize),
        ("STRIDED_TERM", operation::STRIDED_TERM as usize),
        ("REPEAT", operation::REPEAT as usize),
        ("REDUCE_MAX", operation::REDUCE_MAX as usize),
        ("REDUCE_MIN", operation::REDUCE_MIN as usize),
        ("LANES", layout::LANES),
        ("LIST_CAPACITY", layout::LIST_CAPACITY),
        ("GROUP_POOLS", GROUP_POOLS),
        ("TILE_SCENARIOS", DEVICE_TILE_SCENARIOS),
        ("STACK_DEPTH", STACK_DEPTH_MAX),
    ];
    for (name, host) in known {
        assert_eq!(found.get(name), Some(&(host as u64)), "{name}: shader left, host right");
    }
    let entry = module.entry_points.iter().find(|entry| entry.name == "sweep").expect("the entry point");
    assert_eq!(entry.workgroup_size, [layout::LANES as u32, 1, 1]);
    // Four scenarios per lane; one partial per pool of a batch and lane.
    assert_eq!(layout::LANES * 4, DEVICE_TILE_SCENARIOS);
    assert_eq!(found["PART_STRIDE"], found["LANES"] + found["SEGMENT"]);
    assert_eq!(found["PARTS"], found["BATCH_POOLS"] * found["PART_STRIDE"]);
    assert_eq!(found["SEGMENT"] * found["BATCH_POOLS"], found["LANES"], "every lane adds up one segment");
}

#[test]
fn the_pricers_constants_are_the_hosts() {
    use plimsoll::pricing::single::{MARKET_FIELDS, RATE_FIELDS, formula};
    let module = parse("revalue");
    let found = constants(&module);
    let known = [
        ("LANES", layout::LANES),
        ("GROUP_CONTRACTS", layout::GROUP_CONTRACTS),
        ("MARKET_FIELDS", MARKET_FIELDS),
        ("ALL_FIELDS", MARKET_FIELDS + RATE_FIELDS),
    ];
    for (name, host) in known {
        assert_eq!(found.get(name), Some(&(host as u64)), "{name}: shader left, host right");
    }
    let floats: BTreeMap<&str, f32> = module
        .constants
        .iter()
        .filter_map(|(_, constant)| match module.global_expressions[constant.init] {
            Expression::Literal(Literal::F32(value)) => Some((constant.name.as_deref()?, value)),
            _ => None,
        })
        .collect();
    for (name, host) in formula::CONSTANTS {
        assert_eq!(floats.get(name), Some(&host), "{name}: shader left, host right");
    }
    // The polynomial: each coefficient of the host stands in the shader, as it is printed.
    let text = shaders().into_iter().find(|(name, _)| name == "revalue").expect("the shader").1;
    for coefficient in formula::MILLS {
        assert!(text.contains(&format!("vec4({coefficient})")), "{coefficient}");
    }
}
