#!/usr/bin/env bash
# The whole path on a synthetic exchange: make a book, make scenarios, sweep, explain the account that is worst off.
#
#   examples/quickstart.sh [DIRECTORY]        a new or empty directory; default: a temporary one, which is kept
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
directory=${1:-$(mktemp -d)}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

cd "$repository"
cargo build --release --locked --quiet
plimsoll="${CARGO_TARGET_DIR:-$repository/target}/release/plimsoll"
cd "$directory"

say() {
    printf '\n$ %s\n' "$*"
    "$@"
}

say "$plimsoll" synth exchange --accounts 2000 --seed 7 --tables csv
say "$plimsoll" check exchange
say "$plimsoll" scenarios grid exchange --price -0.5,-0.3,-0.2,-0.1,0.1,0.2,0.3 --asset USDT=-0.05,0 --out shocks.csv
say "$plimsoll" sweep exchange --scenarios shocks.csv --tables csv --out results

# The pool with the lowest excess over its maintenance margin: columns 1, 2, 10 and 11 are account, pool, worst_scenario
# and worst_excess.
IFS=, read -r account pool scenario _ < <(
    tail -n +2 results/pools.csv | awk -F, '$11 != "" { print $1 "," $2 "," $10 "," $11 }' | sort -t, -g -k4 | head -n 1
)
say "$plimsoll" explain exchange "$account" --pool "$pool" --scenarios shocks.csv --scenario "$scenario"

printf '\nResults: %s\nOpen report.html there in a browser.\n' "$directory/results"
