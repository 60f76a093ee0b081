// Prices options: one workgroup takes a group of contracts through one tile of scenarios. A lane owns four neighbouring
// scenarios (one vec4). What comes out are rows as shaders/sweep.wgsl reads them: value less base, in quote units.
//
// The CPU twin is src/pricing/single/formula.rs, step by step the same; a bound on every output follows from it (NUMERICS.md
// §12). Whatever depends on the expiry only (forward, its logarithm, roots, discount factors) the host forms in f64, so
// that no logarithm and no square root is taken here. The structs are twins of src/engine/gpu/layout.rs.

struct RevalueParams {
    contract_count: u32,
    expiry_count: u32,
    row_count: u32,
    tile_count: u32,
}

struct Contract {
    // Row of its first output within a tile.
    row: u32,
    expiry: u32,
    moneyness: f32,
    strike: f32,
    volatility: f32,
    sign: f32,
    contract: f32,
    base: f32,
}

const LANES: u32 = 64u;
const GROUP_CONTRACTS: u32 = 16u;
const MARKET_FIELDS: u32 = 7u;
const ALL_FIELDS: u32 = 14u;

const DEVIATION_MIN: f32 = 0.00000095367431640625; // 2^-20
const REACH: f32 = 12.0;
const DENSITY: f32 = 0.3989423;
const POLE: f32 = 2.5;
const MILLS_MAX: f32 = 1.2533143;

// Rows written per contract: 1 (value), 5 (and delta, gamma, vega, theta) or 9 (and rho, vanna, volga, charm).
override OUTPUTS: u32 = 1u;

@group(0) @binding(0) var<uniform> params: RevalueParams;
@group(0) @binding(1) var<storage, read> contracts: array<Contract>;
// [tile][expiry][field][lane]: seven fields where only values are asked for, else fourteen.
@group(0) @binding(2) var<storage, read> expiries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> rows: array<vec4<f32>>;

// (1 - N(x)) / phi(x) for 0 <= x <= 12: fixtures/revalue/fit_mills.py.
fn mills(x: vec4<f32>) -> vec4<f32> {
    let inverse = vec4(1.0) / (x + vec4(POLE));
    let z = clamp((x - vec4(POLE)) * inverse, vec4(-1.0), vec4(1.0));
    var sum = vec4(-0.00037943097);
    sum = sum * z + vec4(-0.0007565188);
    sum = sum * z + vec4(0.0017092566);
    sum = sum * z + vec4(0.0063057328);
    sum = sum * z + vec4(-0.004013728);
    sum = sum * z + vec4(-0.04106842);
    sum = sum * z + vec4(0.023151351);
    sum = sum * z + vec4(0.33084178);
    sum = sum * z + vec4(-1.0871047);
    sum = sum * z + vec4(1.7713256);
    return min(sum * inverse, vec4(MILLS_MAX));
}

fn within_reach(d: vec4<f32>) -> vec4<f32> {
    return clamp(d, vec4(-REACH), vec4(REACH));
}

@compute @workgroup_size(64)
fn revalue(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = group.y;
    let first = group.x * GROUP_CONTRACTS;
    let last = min(first + GROUP_CONTRACTS, params.contract_count);
    let fields = select(ALL_FIELDS, MARKET_FIELDS, OUTPUTS == 1u);
    for (var index = first; index < last; index++) {
        let terms = contracts[index];
        let at = (tile * params.expiry_count + terms.expiry) * fields * LANES + lane;
        let forward = expiries[at];
        let growth = expiries[at + LANES];
        let level = expiries[at + 2u * LANES];
        let tilt = expiries[at + 3u * LANES];
        let low = expiries[at + 4u * LANES];
        let high = expiries[at + 5u * LANES];
        let discount = expiries[at + 6u * LANES];

        let total = min(max(terms.volatility * level - terms.moneyness * tilt, low), high);
        let deviation = max(total, vec4(DEVIATION_MIN));
        let inverse_deviation = vec4(1.0) / deviation;
        let x = vec4(terms.moneyness) + growth;
        let middle = x * inverse_deviation;
        let half = deviation * 0.5;
        let side = select(vec4(-REACH), vec4(REACH), x > vec4(0.0));
        let lives = total > vec4(DEVIATION_MIN);
        let d1 = within_reach(select(side, middle + half, lives));
        let d2 = within_reach(select(side, middle - half, lives));
        // F·phi(d1), which is K·phi(d2).
        let density = forward * DENSITY * exp(d1 * d1 * -0.5);
        let forward_tail = density * mills(abs(d1));
        let strike_tail = density * mills(abs(d2));
        let zero = vec4(0.0);
        let forward_part = select(forward_tail, forward - forward_tail, d1 * terms.sign > zero);
        let strike_part = select(strike_tail, vec4(terms.strike) - strike_tail, d2 * terms.sign > zero);
        let scale = terms.contract * discount;
        let worth = scale * (forward_part - strike_part) * terms.sign;
        let out = (tile * params.row_count + terms.row) * LANES + lane;
        rows[out] = worth - vec4(terms.base);

        if OUTPUTS > 1u {
            let root = expiries[at + 7u * LANES];
            let years = expiries[at + 8u * LANES];
            let half_inverse = expiries[at + 9u * LANES];
            let rate = expiries[at + 10u * LANES];
            let carry = expiries[at + 11u * LANES];
            let rate_less_carry = expiries[at + 12u * LANES];
            let per_unit = expiries[at + 13u * LANES];
            let per_index = scale * per_unit;
            let decay = density * (deviation * half_inverse);
            let carried = rate_less_carry * forward_part * terms.sign;
            let paid = rate * strike_part * terms.sign;
            rows[out + LANES] = per_index * forward_part * terms.sign;
            rows[out + 2u * LANES] = per_index * per_unit * (density * inverse_deviation);
            rows[out + 3u * LANES] = scale * (density * root);
            rows[out + 4u * LANES] = scale * (carried - paid - decay);
            if OUTPUTS > 5u {
                let turn = carry * inverse_deviation - d2 * half_inverse;
                rows[out + 5u * LANES] = -(years * worth);
                rows[out + 6u * LANES] = -(per_index * density * (d2 * (root * inverse_deviation)));
                rows[out + 7u * LANES] = scale * (density * years) * (d1 * d2 * inverse_deviation);
                rows[out + 8u * LANES] = per_index * (carried - density * turn);
            }
        }
    }
}
