// What an adapter can do at most: copies, reads from its second-level cache, multiply-adds. Indices are masked, so that no
// lane leaves a buffer whatever the parameters. The struct is a twin of src/engine/gpu/layout.rs; src/engine/gpu/ceiling.rs
// knows how much work a dispatch is.

struct CeilingParams {
    // Length of the data less one, a power of two less one.
    mask: u32,
    // Steps of every lane.
    steps: u32,
    // Lanes of the dispatch.
    lanes: u32,
    factor: f32,
    addend: f32,
}

@group(0) @binding(0) var<uniform> params: CeilingParams;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sink: array<vec4<f32>>;

// One vector per step and lane, neighbours by neighbours.
@compute @workgroup_size(256)
fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var step = 0u; step < params.steps; step++) {
        let at = (id.x + step * params.lanes) & params.mask;
        sink[at] = source[at];
    }
}

// Four vectors per step and lane. Workgroups begin at scattered places, so that few find in a first-level cache what another
// has just read.
@compute @workgroup_size(256)
fn read_often(@builtin(global_invocation_id) id: vec3<u32>, @builtin(workgroup_id) group: vec3<u32>,
              @builtin(local_invocation_index) lane: u32) {
    var at = group.x * 40503u * 256u + lane;
    var a = vec4<f32>();
    var b = vec4<f32>();
    var c = vec4<f32>();
    var d = vec4<f32>();
    for (var step = 0u; step < params.steps; step++) {
        a += source[at & params.mask];
        b += source[(at + 256u) & params.mask];
        c += source[(at + 512u) & params.mask];
        d += source[(at + 768u) & params.mask];
        at += 1024u;
    }
    sink[id.x & params.mask] = (a + b) + (c + d);
}

// Sixteen chains of eight multiply-adds per step and lane.
@compute @workgroup_size(256)
fn multiply_add(@builtin(global_invocation_id) id: vec3<u32>) {
    let factor = vec4<f32>(params.factor);
    let addend = vec4<f32>(params.addend);
    var a = vec4<f32>(f32(id.x));
    var b = a + addend;
    var c = b + addend;
    var d = c + addend;
    for (var step = 0u; step < params.steps; step++) {
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
        a = fma(a, factor, addend); b = fma(b, factor, addend); c = fma(c, factor, addend); d = fma(d, factor, addend);
    }
    sink[id.x & params.mask] = (a + b) + (c + d);
}
