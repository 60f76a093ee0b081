#!/usr/bin/env bash
# From the first breach to who pays, on a synthetic exchange: liquidate under four policies and along a path, explain an event,
# restore one pool, and ask which scenario a loss takes.
#
#   examples/liquidation.sh [DIRECTORY]       a new or empty directory; default: a temporary one, which is kept
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
directory=${1:-$(mktemp -d)}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

cd "$repository"
cargo build --release --locked --quiet
plimsoll="${CARGO_TARGET_DIR:-$repository/target}/release/plimsoll"
policies="$repository/examples/policies"
cd "$directory"

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

say "$plimsoll" synth exchange --accounts 2000 --seed 7 --tables csv
say "$plimsoll" scenarios monte-carlo exchange --count 256 --seed 7 --vol-beta -1 --vol-of-vol 0.9 --out shocks.csv

# The four policies on the same two scenarios; tables and events are those of the first.
say "$plimsoll" liquidate exchange --scenarios shocks.csv --worst 2 --policy "$policies/min-cost.toml" \
    --against "$policies/full-close.toml" --against "$policies/production.toml" --against "$policies/portfolio.toml" \
    --tables csv --out liquidations

# Prices fall in steps, and the feed is late. The path names twelve underlyings; the others stand still.
say "$plimsoll" liquidate exchange --path "$repository/examples/paths/flash-crash.toml" \
    --policy "$policies/production.toml" --tables csv --out crash

# The first event: columns 1, 2, 5 and 6 are scenario, event, account and pool.
IFS=, read -r scenario event _ _ account pool _ < <(sed -n 2p liquidations/events.csv)
say "$plimsoll" explain exchange "$account" --pool "$pool" --event "$event" --scenario "$scenario" --events liquidations

# A pool that is liquidatable before any shock: columns 1, 2 and 9 of a sweep's pools are account, pool and state.
say "$plimsoll" sweep exchange --scenarios shocks.csv --tables csv --out results
IFS=, read -r account pool _ < <(awk -F, '$9 == "liquidatable"' results/pools.csv | sed -n 1p)
say "$plimsoll" hedge exchange "$account" --pool "$pool"

# The most plausible day that leaves 100,000 of shortfall, and what follows from it.
say "$plimsoll" reverse exchange --target shortfall=1e5 --answers 1 --out answers.csv
say "$plimsoll" liquidate exchange --scenarios answers.csv --scenario reverse1 --policy "$policies/min-cost.toml" \
    --tables csv --out answered

printf '\nResults: %s\nOpen report.html in liquidations there in a browser.\n' "$directory/liquidations"
