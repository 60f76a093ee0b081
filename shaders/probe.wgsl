// Shows which arithmetic an adapter really does: one lane per sample, every operand from a buffer, so that no compiler can
// work an answer out. The structs are twins of src/engine/gpu/layout.rs; src/engine/gpu/probe.rs knows the exact answers.

struct ProbeInput {
    a: f32,
    b: f32,
    // Minus the nearest f32 to a·b.
    c: f32,
    subnormal: f32,
    // A normal number of which a 65,536th is subnormal.
    small: f32,
}

struct ProbeOutput {
    sum: f32,
    product: f32,
    // Zero if the product is rounded before c is added; what that rounding loses if the two are fused.
    product_sum: f32,
    // What the rounding of a + b has lost, by TwoSum; zero where a compiler simplifies it as if numbers were real.
    sum_error: f32,
    from_subnormal: f32,
    to_subnormal: f32,
}

const UP: f32 = 1048576.0; // 2^20
const DOWN: f32 = 0.0000152587890625; // 2^-16

@group(0) @binding(0) var<storage, read> inputs: array<ProbeInput>;
@group(0) @binding(1) var<storage, read_write> outputs: array<ProbeOutput>;

@compute @workgroup_size(64)
fn probe(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&inputs) {
        return;
    }
    let sample = inputs[id.x];
    let sum = sample.a + sample.b;
    let b_part = sum - sample.a;
    let a_part = sum - b_part;
    outputs[id.x] = ProbeOutput(
        sum,
        sample.a * sample.b,
        sample.a * sample.b + sample.c,
        (sample.a - a_part) + (sample.b - b_part),
        sample.subnormal * UP,
        sample.small * DOWN,
    );
}
