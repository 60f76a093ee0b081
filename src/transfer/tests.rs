mod conservation;
mod interleavings;
