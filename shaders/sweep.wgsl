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

// Records that every lane of a workgroup reads alike are whole vectors: one load each, where a compiler that does not know
// their alignment would make one of every word.
struct Pool {
    // First term, number of terms, first kink, number of kinks.
    terms_and_kinks: vec4<u32>,
    // First instruction, number of instructions.
    code: vec2<u32>,
    // Above this maintenance root nobody is even restricted.
    quiet: f32,
    gross: f32,
    // Constants of equity, initial and maintenance, and of nothing.
    constants: vec4<f32>,
    // Certified errors of those.
    errors: vec4<f32>,
}

// The row, and the bits of its coefficients in equity, initial and maintenance.
struct Term {
    words: vec4<u32>,
}

struct Kink {
    // The row, and the bits of slope, offset and requirement.
    words: vec4<u32>,
    // Weights in the initial and the maintenance root.
    weights: vec2<f32>,
    padding: vec2<f32>,
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
// Coefficients in gross notional, apart from the terms: few pools need them.
@group(0) @binding(4) var<storage, read> gross: array<f32>;
@group(0) @binding(5) var<storage, read> kinks: array<Kink>;
@group(0) @binding(6) var<storage, read> code: array<Instruction>;
@group(0) @binding(7) var<storage, read_write> pool_tiles: array<PoolTile>;
@group(0) @binding(8) var<storage, read_write> group_scenarios: array<GroupScenario>;
@group(0) @binding(9) var<storage, read_write> uncertain: UncertainList;

// What a lane, then a segment of lanes, adds to a pool's tile.
struct Part {
    lowest: f32,
    second_lowest: f32,
    // Scenario of the lowest within the tile in the low half, verdicts computed in the high half.
    place: u32,
    equity: f32,
    initial: f32,
    maintenance: f32,
}

// One field per array, and the lanes of each pool of a batch 72 words apart: neighbouring lanes then meet different banks of
// workgroup memory, both where they write their own part and where a segment is read.
const PARTS: u32 = 576u; // BATCH_POOLS × PART_STRIDE
const PART_STRIDE: u32 = 72u; // LANES + SEGMENT
var<workgroup> part_lowest: array<f32, PARTS>;
var<workgroup> part_second_lowest: array<f32, PARTS>;
var<workgroup> part_place: array<u32, PARTS>;
var<workgroup> part_equity: array<f32, PARTS>;
var<workgroup> part_initial: array<f32, PARTS>;
var<workgroup> part_maintenance: array<f32, PARTS>;
// Of each pool of a batch, what only lanes that are not quiet add: certain verdicts (ten bits each), uncertain ones.
var<workgroup> batch_counts: array<atomic<u32>, BATCH_POOLS>;
var<workgroup> batch_doubtful: array<atomic<u32>, BATCH_POOLS>;

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
    let end = pool.code.x + pool.code.y;
    var at = pool.code.x;
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
    for (var at = pool.terms_and_kinks.x; at < pool.terms_and_kinks.x + pool.terms_and_kinks.y; at++) {
        value += gross[at] * row_at(terms[at].words.x, tile, lane);
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

// The roots of a pool under the lane's four scenarios.
struct Roots {
    equity: vec4<f32>,
    initial: vec4<f32>,
    maintenance: vec4<f32>,
    // A branch on which the initial or the maintenance root depends is uncertain.
    doubt: vec4<bool>,
    computed: vec4<bool>,
}

// Decides the lane's four verdicts on a pool: adds to the group's sums and to the batch's counts.
fn decide(pool: Pool, roots: Roots, index: u32, slot: u32, tile: u32, lane: u32) {
    let zero = vec4(0.0);
    // Certainly below, certainly not below, or neither: the three answers a bound allows.
    let liquidatable = roots.maintenance < vec4(-pool.errors.z);
    let covered = roots.maintenance > vec4(pool.errors.z);
    let restricted = liquidatable | (roots.initial < vec4(-pool.errors.y));
    let free = roots.initial > vec4(pool.errors.y);
    let bankrupt = roots.equity < vec4(-pool.errors.x);
    let solvent = roots.equity > vec4(pool.errors.x);
    let settled = (liquidatable | covered) & (restricted | free) & (bankrupt | solvent);
    let certain = roots.computed & settled & (roots.doubt == vec4(false));
    let doubtful = roots.computed & (certain == vec4(false));

    let counted_restricted = restricted & certain;
    let counted_liquidatable = liquidatable & certain;
    let counted_bankrupt = bankrupt & certain;
    sums.restricted += select(vec4(0u), vec4(1u), counted_restricted);
    sums.liquidatable += select(vec4(0u), vec4(1u), counted_liquidatable);
    sums.bankrupt += select(vec4(0u), vec4(1u), counted_bankrupt);
    if any(counted_liquidatable) {
        sums.gross += select(zero, gross_of(pool, tile, lane), counted_liquidatable);
    }
    sums.shortfall += select(zero, -roots.equity, counted_bankrupt);
    sums.shortfall_error += select(zero, vec4(pool.errors.x), counted_bankrupt);
    let counts = count(counted_restricted) | (count(counted_liquidatable) << 10u) | (count(counted_bankrupt) << 20u);
    if counts != 0u {
        atomicAdd(&batch_counts[slot], counts);
    }
    if any(doubtful) {
        atomicAdd(&batch_doubtful[slot], count(doubtful));
        list_uncertain(index, tile * TILE_SCENARIOS + lane * 4u, doubtful);
    }
}

// Evaluates one pool under the lane's four scenarios: adds to the group's sums, returns the lane's part of the pool's.
fn evaluate(index: u32, slot: u32, tile: u32, lane: u32) -> Part {
    let pool = pools[index];
    let scenario = tile * TILE_SCENARIOS + lane * 4u;
    let present = vec4(scenario, scenario + 1u, scenario + 2u, scenario + 3u) < vec4(params.scenario_count);
    var equity = vec4(pool.constants.x);
    var initial = vec4(pool.constants.y);
    var maintenance = vec4(pool.constants.z);
    let term_end = pool.terms_and_kinks.x + pool.terms_and_kinks.y;
    for (var at = pool.terms_and_kinks.x; at < term_end; at++) {
        let words = terms[at].words;
        let delta = row_at(words.x, tile, lane);
        let coefficients = bitcast<vec4<f32>>(words);
        equity += coefficients.y * delta;
        initial += coefficients.z * delta;
        maintenance += coefficients.w * delta;
    }
    let zero = vec4(0.0);
    var part: Part;
    part.equity = total(select(zero, equity, present));
    part.initial = total(select(zero, initial, present));
    part.maintenance = total(select(zero, maintenance, present));
    sums.equity += equity;
    sums.initial += initial;
    sums.maintenance += maintenance;

    let kink_end = pool.terms_and_kinks.z + pool.terms_and_kinks.w;
    var at = pool.terms_and_kinks.z;
    for (; at < kink_end; at++) {
        let words = kinks[at].words;
        let weights = kinks[at].weights;
        let shape = bitcast<vec4<f32>>(words);
        let reach = max(zero, shape.z + shape.y * row_at(words.x, tile, lane));
        initial += weights.x * reach;
        maintenance += weights.y * reach;
        sums.requirement += shape.w * reach;
    }
    // A device may end a loop before its time; a pool of such a loop gives no verdict, and the host sees that it is missing.
    var finished = at == kink_end;
    var doubt = vec4(false);
    var maintenance_doubt = vec4(false);
    if pool.code.y > 0u {
        let nodes = evaluate_nodes(pool, tile, lane);
        initial += nodes.initial;
        maintenance += nodes.maintenance;
        doubt = nodes.initial_doubt | nodes.maintenance_doubt;
        maintenance_doubt = nodes.maintenance_doubt;
        finished = finished & nodes.finished;
    }
    let computed = present & vec4(finished);
    // Most lanes of most pools end here: far above every threshold, no verdict has anything to add.
    if any(doubt) | !all(maintenance > vec4(pool.quiet)) {
        decide(pool, Roots(equity, initial, maintenance, doubt, computed), index, slot, tile, lane);
    }

    // An uncertain branch may be anything: the lowest there is, for the CPU to look at.
    let value = select(select(maintenance, vec4(-HUGE), maintenance_doubt), vec4(HUGE), present == vec4(false));
    part.lowest = value.x;
    part.second_lowest = HUGE;
    var lowest_component = 0u;
    for (var k = 1u; k < 4u; k++) {
        if value[k] < part.lowest {
            part.second_lowest = part.lowest;
            part.lowest = value[k];
            lowest_component = k;
        } else {
            part.second_lowest = min(part.second_lowest, value[k]);
        }
    }
    part.place = (lane * 4u + lowest_component) | (count(computed) << 16u);
    return part;
}

fn part_at(at: u32) -> Part {
    return Part(
        part_lowest[at], part_second_lowest[at], part_place[at],
        part_equity[at], part_initial[at], part_maintenance[at],
    );
}

fn put_part(at: u32, part: Part) {
    part_lowest[at] = part.lowest;
    part_second_lowest[at] = part.second_lowest;
    part_place[at] = part.place;
    part_equity[at] = part.equity;
    part_initial[at] = part.initial;
    part_maintenance[at] = part.maintenance;
}

// Adds two parts of a pool's tile; of equal lowest values the earlier scenario's stays.
fn combine(a: Part, b: Part) -> Part {
    var sum = a;
    let computed = (a.place >> 16u) + (b.place >> 16u);
    var scenario = a.place & 0xffffu;
    let other = b.place & 0xffffu;
    if b.lowest < a.lowest || (b.lowest == a.lowest && other < scenario) {
        sum.lowest = b.lowest;
        sum.second_lowest = min(a.lowest, b.second_lowest);
        scenario = other;
    } else {
        sum.second_lowest = min(a.second_lowest, b.lowest);
    }
    sum.place = scenario | (computed << 16u);
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
    let pool = lane / SEGMENT;
    let segment = lane % SEGMENT;
    if segment == 0u {
        atomicStore(&batch_counts[pool], 0u);
        atomicStore(&batch_doubtful[pool], 0u);
    }
    workgroupBarrier();
    for (var batch = first; batch < last; batch += BATCH_POOLS) {
        for (var k = 0u; k < BATCH_POOLS; k++) {
            if batch + k < last {
                put_part(k * PART_STRIDE + lane, evaluate(batch + k, k, tile, lane));
            }
        }
        workgroupBarrier();
        // Eight lanes per pool: each adds up every eighth part, then the first of them adds what they have.
        let head = pool * PART_STRIDE + segment;
        var sum = part_at(head);
        for (var k = 1u; k < SEGMENT; k++) {
            sum = combine(sum, part_at(head + k * SEGMENT));
        }
        put_part(head, sum);
        workgroupBarrier();
        if segment == 0u && batch + pool < last {
            for (var k = 1u; k < SEGMENT; k++) {
                sum = combine(sum, part_at(head + k));
            }
            let doubtful = atomicExchange(&batch_doubtful[pool], 0u);
            let certain = (sum.place >> 16u) - doubtful;
            pool_tiles[(batch + pool) * params.tile_count + tile] = PoolTile(
                sum.lowest, tile * TILE_SCENARIOS + (sum.place & 0xffffu), sum.second_lowest,
                atomicExchange(&batch_counts[pool], 0u), certain | (doubtful << 16u),
                sum.equity, sum.initial, sum.maintenance,
            );
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
