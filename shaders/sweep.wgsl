// Evaluates margin programs: one workgroup takes a group of pools through one tile of scenarios, a slice of the group per
// dispatch. Devices end loops or dispatches that are too long, so the host cuts the slices by their work.
//
// A lane owns four neighbouring scenarios (one vec4), so what is summed over pools stays in registers and what is reduced
// over scenarios crosses lanes in workgroup memory. The CPU twin is src/engine/cpu/kernel.rs; the structs below are twins
// of src/engine/gpu/layout.rs, and a test compares them field by field.
//
// No value decides by itself: each is compared with its pool's certified error bound (NUMERICS.md), and a verdict that the
// bound does not settle is listed for the CPU. Rows hold shocked minus base, so nothing here subtracts nearly equal numbers.

struct Params {
    pool_count: u32,
    row_count: u32,
    scenario_count: u32,
    tile_count: u32,
    slice_start: u32,
    slice_pools: u32,
}

struct Pool {
    term_start: u32,
    term_count: u32,
    kink_start: u32,
    kink_count: u32,
    code_start: u32,
    code_count: u32,
    equity: f32,
    initial: f32,
    maintenance: f32,
    gross: f32,
    equity_error: f32,
    initial_error: f32,
    maintenance_error: f32,
}

struct Term {
    row: u32,
    equity: f32,
    initial: f32,
    maintenance: f32,
    gross: f32,
}

struct Kink {
    row: u32,
    slope: f32,
    offset: f32,
    initial: f32,
    maintenance: f32,
    requirement: f32,
}

struct Instruction {
    operation: u32,
    row: u32,
    a: f32,
    b: f32,
    c: f32,
}

// What a pool's verdicts on one tile come to. All zero means: not computed.
struct PoolTile {
    lowest: f32,
    lowest_scenario: u32,
    second_lowest: f32,
    // Certain verdicts: restricted, liquidatable and bankrupt, ten bits each.
    counts: u32,
    // Certain verdicts in the low half, uncertain ones in the high half.
    verdicts: u32,
    // Sums of the affine parts over the tile's scenarios, for the whole-sweep check.
    equity: f32,
    initial: f32,
    maintenance: f32,
}

// What one scenario comes to over a group of pools.
struct GroupScenario {
    restricted: u32,
    liquidatable: u32,
    bankrupt: u32,
    equity: f32,
    initial: f32,
    maintenance: f32,
    requirement: f32,
    shortfall: f32,
    shortfall_error: f32,
    gross: f32,
}

struct UncertainVerdict {
    pool: u32,
    scenario: u32,
}

struct UncertainList {
    count: atomic<u32>,
    entries: array<UncertainVerdict>,
}

const LANES: u32 = 64u;
const TILE_SCENARIOS: u32 = 256u;
const STACK_DEPTH: u32 = 8u;
const BATCH_POOLS: u32 = 8u;
const SEGMENT: u32 = 8u;
const HUGE: f32 = 3.0e38;

const CONSTANT: u32 = 0u;
const TERM: u32 = 1u;
const ADD: u32 = 2u;
const MAX: u32 = 3u;
const MIN: u32 = 4u;
const ABS: u32 = 5u;
const SCALE: u32 = 6u;
const SCALE_BY_ROW: u32 = 7u;
const SELECT: u32 = 8u;
const FOLD: u32 = 9u;
const STRIDED_TERM: u32 = 10u;
const REPEAT: u32 = 11u;
const REDUCE_MAX: u32 = 12u;
const REDUCE_MIN: u32 = 13u;

override GROUP_POOLS: u32 = 64u;
override LIST_CAPACITY: u32 = 65536u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> pools: array<Pool>;
@group(0) @binding(3) var<storage, read> terms: array<Term>;
@group(0) @binding(4) var<storage, read> kinks: array<Kink>;
@group(0) @binding(5) var<storage, read> code: array<Instruction>;
@group(0) @binding(6) var<storage, read_write> pool_tiles: array<PoolTile>;
@group(0) @binding(7) var<storage, read_write> group_scenarios: array<GroupScenario>;
@group(0) @binding(8) var<storage, read_write> uncertain: UncertainList;

var<workgroup> partials: array<PoolTile, 512>; // BATCH_POOLS × LANES

// Sums over the pools of a group; one component per scenario of the lane.
struct Sums {
    restricted: vec4<u32>,
    liquidatable: vec4<u32>,
    bankrupt: vec4<u32>,
    equity: vec4<f32>,
    initial: vec4<f32>,
    maintenance: vec4<f32>,
    requirement: vec4<f32>,
    shortfall: vec4<f32>,
    shortfall_error: vec4<f32>,
    gross: vec4<f32>,
}
var<private> sums: Sums;

struct Nodes {
    initial: vec4<f32>,
    maintenance: vec4<f32>,
    initial_doubt: vec4<bool>,
    maintenance_doubt: vec4<bool>,
    finished: bool,
}

fn row_at(row: u32, tile: u32, lane: u32) -> vec4<f32> {
    return rows[(tile * params.row_count + row) * LANES + lane];
}

// Interprets a pool's postfix code. The branches depend on the pool only, so all lanes take the same one. A reduction goes
// back to its start once per point; reductions do not nest.
fn evaluate_nodes(pool: Pool, tile: u32, lane: u32) -> Nodes {
    var nodes = Nodes(vec4(0.0), vec4(0.0), vec4(false), vec4(false), false);
    var stack: array<vec4<f32>, STACK_DEPTH>;
    var depth = 0u;
    var doubt = vec4(false);
    var body = 0u;
    var points = 1u;
    var point = 0u;
    var extreme = vec4(0.0);
    let end = pool.code_start + pool.code_count;
    var at = pool.code_start;
    for (; at < end; at++) {
        let instruction = code[at];
        switch instruction.operation {
            case CONSTANT: {
                stack[depth] = vec4(instruction.a);
                depth++;
            }
            case TERM: {
                stack[depth - 1u] += instruction.a * row_at(instruction.row, tile, lane);
            }
            case STRIDED_TERM: {
                stack[depth - 1u] += instruction.a * row_at(instruction.row + point, tile, lane);
            }
            case REPEAT: {
                body = at;
                points = instruction.row;
                point = 0u;
            }
            case REDUCE_MAX, REDUCE_MIN: {
                let value = stack[depth - 1u];
                if point == 0u {
                    extreme = value;
                } else if instruction.operation == REDUCE_MAX {
                    extreme = max(extreme, value);
                } else {
                    extreme = min(extreme, value);
                }
                point++;
                if point < points {
                    depth--;
                    at = body;
                } else {
                    stack[depth - 1u] = extreme;
                    point = 0u;
                }
            }
            case ADD: {
                depth--;
                stack[depth - 1u] += stack[depth];
            }
            case MAX: {
                depth--;
                stack[depth - 1u] = max(stack[depth - 1u], stack[depth]);
            }
            case MIN: {
                depth--;
                stack[depth - 1u] = min(stack[depth - 1u], stack[depth]);
            }
            case ABS: {
                stack[depth - 1u] = abs(stack[depth - 1u]);
            }
            case SCALE: {
                stack[depth - 1u] *= instruction.a;
            }
            case SCALE_BY_ROW: {
                stack[depth - 1u] *= instruction.a + row_at(instruction.row, tile, lane);
            }
            case SELECT: {
                depth -= 2u;
                let predicate = stack[depth - 1u];
                doubt = doubt | (abs(predicate) <= vec4(instruction.a));
                stack[depth - 1u] = select(stack[depth + 1u], stack[depth], predicate >= vec4(0.0));
            }
            default: { // FOLD
                depth--;
                nodes.initial += instruction.a * stack[depth];
                nodes.maintenance += instruction.b * stack[depth];
                sums.requirement += instruction.c * stack[depth];
                nodes.initial_doubt = nodes.initial_doubt | (doubt & vec4(instruction.a != 0.0));
                nodes.maintenance_doubt = nodes.maintenance_doubt | (doubt & vec4(instruction.b != 0.0));
                doubt = vec4(false);
            }
        }
    }
    nodes.finished = at == end;
    return nodes;
}

fn gross_of(pool: Pool, tile: u32, lane: u32) -> vec4<f32> {
    var value = vec4(pool.gross);
    for (var at = pool.term_start; at < pool.term_start + pool.term_count; at++) {
        value += terms[at].gross * row_at(terms[at].row, tile, lane);
    }
    return value;
}

fn list_uncertain(pool: u32, scenario: u32, doubtful: vec4<bool>) {
    for (var k = 0u; k < 4u; k++) {
        if doubtful[k] {
            let slot = atomicAdd(&uncertain.count, 1u);
            if slot < LIST_CAPACITY {
                uncertain.entries[slot] = UncertainVerdict(pool, scenario + k);
            }
        }
    }
}

fn total(values: vec4<f32>) -> f32 {
    return (values.x + values.y) + (values.z + values.w);
}

fn count(flags: vec4<bool>) -> u32 {
    let ones = select(vec4(0u), vec4(1u), flags);
    return ones.x + ones.y + ones.z + ones.w;
}

// Evaluates one pool under the lane's four scenarios: adds to the group's sums, returns the lane's part of the pool's.
fn evaluate(index: u32, tile: u32, lane: u32) -> PoolTile {
    let pool = pools[index];
    let scenario = tile * TILE_SCENARIOS + lane * 4u;
    let present = vec4(scenario, scenario + 1u, scenario + 2u, scenario + 3u) < vec4(params.scenario_count);
    var equity = vec4(pool.equity);
    var initial = vec4(pool.initial);
    var maintenance = vec4(pool.maintenance);
    for (var at = pool.term_start; at < pool.term_start + pool.term_count; at++) {
        let term = terms[at];
        let delta = row_at(term.row, tile, lane);
        equity += term.equity * delta;
        initial += term.initial * delta;
        maintenance += term.maintenance * delta;
    }
    let zero = vec4(0.0);
    var part: PoolTile;
    part.equity = total(select(zero, equity, present));
    part.initial = total(select(zero, initial, present));
    part.maintenance = total(select(zero, maintenance, present));
    sums.equity += equity;
    sums.initial += initial;
    sums.maintenance += maintenance;

    let kink_end = pool.kink_start + pool.kink_count;
    var at = pool.kink_start;
    for (; at < kink_end; at++) {
        let kink = kinks[at];
        let reach = max(zero, kink.offset + kink.slope * row_at(kink.row, tile, lane));
        initial += kink.initial * reach;
        maintenance += kink.maintenance * reach;
        sums.requirement += kink.requirement * reach;
    }
    // A device may end a loop before its time; a pool of such a loop gives no verdict, and the host sees that it is missing.
    var finished = at == kink_end;
    var doubt = vec4(false);
    var maintenance_doubt = vec4(false);
    if pool.code_count > 0u {
        let nodes = evaluate_nodes(pool, tile, lane);
        initial += nodes.initial;
        maintenance += nodes.maintenance;
        doubt = nodes.initial_doubt | nodes.maintenance_doubt;
        maintenance_doubt = nodes.maintenance_doubt;
        finished = finished & nodes.finished;
    }

    // Certainly below, certainly not below, or neither: the three answers a bound allows.
    let liquidatable = maintenance < vec4(-pool.maintenance_error);
    let covered = maintenance > vec4(pool.maintenance_error);
    let restricted = liquidatable | (initial < vec4(-pool.initial_error));
    let free = initial > vec4(pool.initial_error);
    let bankrupt = equity < vec4(-pool.equity_error);
    let solvent = equity > vec4(pool.equity_error);
    let settled = (liquidatable | covered) & (restricted | free) & (bankrupt | solvent);
    let computed = present & vec4(finished);
    let certain = computed & settled & (doubt == vec4(false));
    let doubtful = computed & (certain == vec4(false));

    let counted_bankrupt = bankrupt & certain;
    let counted_liquidatable = liquidatable & certain;
    sums.restricted += select(vec4(0u), vec4(1u), restricted & certain);
    sums.liquidatable += select(vec4(0u), vec4(1u), counted_liquidatable);
    sums.bankrupt += select(vec4(0u), vec4(1u), counted_bankrupt);
    if any(counted_liquidatable) {
        sums.gross += select(zero, gross_of(pool, tile, lane), counted_liquidatable);
    }
    sums.shortfall += select(zero, -equity, counted_bankrupt);
    sums.shortfall_error += select(zero, vec4(pool.equity_error), counted_bankrupt);
    if any(doubtful) {
        list_uncertain(index, scenario, doubtful);
    }

    part.counts = count(restricted & certain) | (count(counted_liquidatable) << 10u) | (count(counted_bankrupt) << 20u);
    part.verdicts = count(certain) | (count(doubtful) << 16u);
    // An uncertain branch may be anything: the lowest there is, for the CPU to look at.
    let value = select(select(maintenance, vec4(-HUGE), maintenance_doubt), vec4(HUGE), present == vec4(false));
    part.lowest = value.x;
    part.lowest_scenario = scenario;
    part.second_lowest = HUGE;
    for (var k = 1u; k < 4u; k++) {
        if value[k] < part.lowest {
            part.second_lowest = part.lowest;
            part.lowest = value[k];
            part.lowest_scenario = scenario + k;
        } else {
            part.second_lowest = min(part.second_lowest, value[k]);
        }
    }
    return part;
}

// Adds two parts of a pool's tile; `a` holds the earlier scenarios, which win ties.
fn combine(a: PoolTile, b: PoolTile) -> PoolTile {
    var sum = a;
    if b.lowest < a.lowest {
        sum.lowest = b.lowest;
        sum.lowest_scenario = b.lowest_scenario;
        sum.second_lowest = min(a.lowest, b.second_lowest);
    } else {
        sum.second_lowest = min(a.second_lowest, b.lowest);
    }
    sum.counts += b.counts;
    sum.verdicts += b.verdicts;
    sum.equity += b.equity;
    sum.initial += b.initial;
    sum.maintenance += b.maintenance;
    return sum;
}

// Takes the group's sums up where the slice before this one left them.
fn resume(scenario: u32) {
    for (var k = 0u; k < 4u; k++) {
        let part = group_scenarios[scenario + k];
        sums.restricted[k] = part.restricted;
        sums.liquidatable[k] = part.liquidatable;
        sums.bankrupt[k] = part.bankrupt;
        sums.equity[k] = part.equity;
        sums.initial[k] = part.initial;
        sums.maintenance[k] = part.maintenance;
        sums.requirement[k] = part.requirement;
        sums.shortfall[k] = part.shortfall;
        sums.shortfall_error[k] = part.shortfall_error;
        sums.gross[k] = part.gross;
    }
}

@compute @workgroup_size(64)
fn sweep(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = group.y;
    let first = group.x * GROUP_POOLS + params.slice_start;
    let last = min(first + params.slice_pools, params.pool_count);
    let scenario = group.x * params.tile_count * TILE_SCENARIOS + tile * TILE_SCENARIOS + lane * 4u;
    if params.slice_start > 0u {
        resume(scenario);
    }
    for (var batch = first; batch < last; batch += BATCH_POOLS) {
        for (var k = 0u; k < BATCH_POOLS; k++) {
            if batch + k < last {
                partials[k * LANES + lane] = evaluate(batch + k, tile, lane);
            }
        }
        workgroupBarrier();
        // Eight lanes per pool: each adds up its segment of eight, then the first of them adds the segments.
        let pool = lane / SEGMENT;
        let segment = lane % SEGMENT;
        let head = pool * LANES + segment * SEGMENT;
        var sum = partials[head];
        for (var k = 1u; k < SEGMENT; k++) {
            sum = combine(sum, partials[head + k]);
        }
        partials[head] = sum;
        workgroupBarrier();
        if segment == 0u && batch + pool < last {
            for (var k = 1u; k < SEGMENT; k++) {
                sum = combine(sum, partials[head + k * SEGMENT]);
            }
            pool_tiles[(batch + pool) * params.tile_count + tile] = sum;
        }
        workgroupBarrier();
    }
    for (var k = 0u; k < 4u; k++) {
        group_scenarios[scenario + k] = GroupScenario(
            sums.restricted[k], sums.liquidatable[k], sums.bankrupt[k],
            sums.equity[k], sums.initial[k], sums.maintenance[k], sums.requirement[k],
            sums.shortfall[k], sums.shortfall_error[k], sums.gross[k],
        );
    }
}
