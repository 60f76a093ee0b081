//! Malformed inputs through the real binary: each is refused with its own words and exit code, none panics.

#![expect(clippy::print_stdout, reason = "the catalogue is printed with --nocapture")]

use std::path::Path;
use std::process::Command;

use plimsoll::io::{TableFormat, snapshot, snapshot_write};

const CHECK: &[&str] = &["check", "."];
const RULEBOOK: &[&str] = &["rulebook", "check", "rulebook.toml"];
const IMPORT: &[&str] = &["rulebook", "import", "brackets.csv", "--out", "out.toml"];
const SCENARIOS: &[&str] = &["check", ".", "--scenarios", "shocks.csv"];
const HISTORY: &[&str] = &["scenarios", "history", "panel.csv", "--out", "set.csv"];
const FILTERED: &[&str] = &["scenarios", "history", "panel.csv", "--filtered", "--out", "set.csv"];
const CHAIN: &[&str] = &["import", "chain", "chain.csv", "--out", "imported"];
const PRICE: &[&str] = &["price", ".", "--out", "prices.csv", "--scenarios", "shocks.csv", "--scenario", "dwon"];
const ROUTES: &[&str] = &["scenarios", "routes", ".", "--out", "set.csv"];
const SWEEP: &[&str] = &["sweep", ".", "--scenarios", "shocks.csv", "--engine", "cpu", "--out", "results"];

/// A valid snapshot, rulebook, bracket file, scenario set and price panel.
const BASE: &[(&str, &str)] = &[
    ("snapshot.toml", "as_of = \"2026-06-26T08:00:00Z\"\nquote = \"USD\"\n"),
    ("assets.csv", "asset,price,haircut_class\nBTC,50000,coin\nUSDT,1,coin\n"),
    ("underlyings.csv", "underlying,index_price\nBTC,50000\n"),
    (
        "instruments.csv",
        "instrument,kind,underlying,payoff,settlement_asset,mark_price,strike,expiry,right,implied_volatility,fixed_rate\n\
         BTCUSDT,perpetual,BTC,linear,USDT,50000,,,,,\n",
    ),
    ("balances.csv", "account,pool,asset,network,amount,locked\na,,USDT,,1000,\n"),
    ("positions.csv", "account,pool,instrument,quantity,entry_price,leverage,side\na,,BTCUSDT,1,,,\n"),
    (
        "rulebook.toml",
        "version = 1\nname = \"base\"\n[margin.BTCUSDT]\nmaintenance = { form = \"flat\", rate = 0.05 }\n[haircut.coin]\nflat = 0.1\n",
    ),
    (
        "brackets.csv",
        "symbol,tier,min_notional,max_notional,maint_margin_rate,max_leverage,cum_deduction\nX,1,0,100,0.01,50,0\nX,2,100,200,0.02,25,1\n",
    ),
    ("shocks.csv", "scenario,weight,label,price:BTC\ndown,1,,-0.5\nup,1,,0.5\n"),
    (
        "chain.csv",
        "timestamp,instrument_name,option_type,strike,expiry_datetime,currency,index_price,futures_price,implied_volatility,mark_price,exercise_style\n\
         2026-06-26T08:00:00Z,C,call,50000,2026-12-25T08:00:00Z,BTC,50000,51000,0.5,0.15,\n",
    ),
    ("panel.csv", "hour,BTC,ETH\n490000,50000,3000\n490001,51000,3010\n490002,50500,2990\n"),
];

/// What a case does to the base files.
enum Edit {
    /// Replaces the first text by the second.
    Swap(&'static str, &'static str, &'static str),
    /// Appends to a file, which may be new, as may its directory.
    Append(&'static str, &'static [u8]),
    /// Replaces the content of a file.
    Content(&'static str, &'static [u8]),
    /// Deletes a file.
    Delete(&'static str),
    /// Puts a directory in the place of a file.
    Directory(&'static str),
}
use Edit::{Append, Content, Delete, Directory, Swap};

/// Name, edits, command, exit code, text that stderr contains.
type Case = (&'static str, &'static [Edit], &'static [&'static str], i32, &'static str);

const CASES: &[Case] = &[
    // Files.
    ("missing table", &[Delete("positions.csv")], CHECK, 3, "a snapshot has positions.parquet, positions.csv or positions.arrow"),
    ("two files of one table", &[Append("assets.parquet", b"")], CHECK, 3, "a table is one file, found assets.parquet and assets.csv"),
    ("directory for a file", &[Directory("balances.csv")], CHECK, 3, "is not a file"),
    ("empty file", &[Content("balances.csv", b"")], CHECK, 3, "the file is empty"),
    ("missing snapshot", &[], &["check", "nowhere"], 2, "nowhere: No such file"),
    ("file for a snapshot", &[], &["check", "assets.csv"], 2, "a snapshot is a directory of tables"),
    ("text called parquet", &[Delete("assets.csv"), Content("assets.parquet", b"asset,price\nBTC,1\n")], CHECK, 3, "assets: the file cannot be read"),
    ("empty parquet", &[Delete("assets.csv"), Content("assets.parquet", b"")], CHECK, 3, "assets: the file cannot be read"),
    ("parquet with a huge footer length", &[Delete("assets.csv"), Content("assets.parquet", b"PAR1xxxx\xff\xff\xff\x7fPAR1")], CHECK, 3, "assets: the file cannot be read"),
    ("text called arrow", &[Delete("assets.csv"), Content("assets.arrow", b"asset,price\nBTC,1\n")], CHECK, 3, "assets: the file cannot be read"),
    ("arrow magic only", &[Delete("assets.csv"), Content("assets.arrow", b"ARROW1\0\0")], CHECK, 3, "assets: the file cannot be read"),
    // Headers and rows.
    ("misspelled optional column", &[Swap("positions.csv", "leverage", "levrage")], CHECK, 3, "column levrage: the table has no such column (did you mean \"leverage\"?)"),
    ("unknown column", &[Swap("assets.csv", "haircut_class", "zzz")], CHECK, 3, "remove or rename the column"),
    ("capitalised column", &[Swap("assets.csv", "asset,", "Asset,")], CHECK, 3, "did you mean \"asset\"?"),
    ("missing required column", &[Swap("balances.csv", "amount", "locked2")], CHECK, 3, "column amount: a required column is missing"),
    ("repeated column", &[Swap("balances.csv", "network", "asset")], CHECK, 3, "column asset: a column stands once"),
    ("semicolons", &[Content("underlyings.csv", b"underlying;index_price\nBTC;50000\n")], CHECK, 3, "a required column is missing"),
    ("UTF-16", &[Content("underlyings.csv", b"\xff\xfeu\0n\0d\0")], CHECK, 3, "the header is not UTF-8"),
    ("short row", &[Append("balances.csv", b"b,,USDT\n")], CHECK, 3, "balances row 2: a row has as many fields as the header: 6, not 3"),
    ("decimal comma", &[Append("balances.csv", b"b,,USDT,,1,5,\n")], CHECK, 3, "as the header: 6, not 7"),
    ("unclosed quote", &[Append("balances.csv", b"b,,\"USDT,,1,\nc,,USDT,,1,\n")], CHECK, 3, "balances row 2: a row has as many fields"),
    ("Latin-1 text", &[Append("balances.csv", b"caf\xe9,,USDT,,1,\n")], CHECK, 3, "column account value \"caf\u{fffd}\": text is UTF-8"),
    // Numbers.
    ("NaN", &[Swap("balances.csv", "1000", "NaN")], CHECK, 3, "balances row 1 column amount value \"NaN\": a number is finite"),
    ("infinity", &[Swap("assets.csv", "50000", "inf")], CHECK, 3, "assets row 1 column price value \"inf\": a number is finite"),
    ("overflow", &[Swap("balances.csv", "1000", "1e400")], CHECK, 3, "value \"1e400\": a number is finite"),
    ("underflow", &[Swap("balances.csv", "1000", "1e-400")], CHECK, 3, "value \"1e-400\": a number in plain decimal form"),
    ("digit groups", &[Swap("balances.csv", "1000", "1_000")], CHECK, 3, "value \"1_000\": a number in plain decimal form"),
    ("quoted decimal comma", &[Swap("balances.csv", "1000", "\"1,5\"")], CHECK, 3, "value \"1,5\": a number in plain decimal form"),
    ("currency sign", &[Swap("balances.csv", "1000", "$1000")], CHECK, 3, "a number in plain decimal form"),
    ("hexadecimal", &[Swap("balances.csv", "1000", "0x10")], CHECK, 3, "a number in plain decimal form"),
    ("oversized amount", &[Swap("balances.csv", "1000", "1e31")], CHECK, 3, "the number is between -1e30 and 1e30"),
    ("oversized quantity", &[Swap("positions.csv", "BTCUSDT,1,", "BTCUSDT,-2e30,")], CHECK, 3, "the number is between -1e30 and 1e30"),
    ("dust price", &[Swap("underlyings.csv", "50000", "1e-31")], CHECK, 3, "positive, between 1e-30 and 1e30"),
    ("negative asset price", &[Swap("assets.csv", "50000", "-1")], CHECK, 3, "0, or between 1e-30 and 1e30"),
    ("zero mark", &[Swap("instruments.csv", "USDT,50000", "USDT,0")], CHECK, 3, "instruments row 1 column mark_price value \"0\""),
    ("missing mark", &[Swap("instruments.csv", "USDT,50000", "USDT,")], CHECK, 3, "mark_price: a required value is missing"),
    ("zero entry price", &[Swap("positions.csv", "BTCUSDT,1,,", "BTCUSDT,1,0,")], CHECK, 3, "column entry_price value \"0\""),
    ("leverage below one", &[Swap("positions.csv", "BTCUSDT,1,,,", "BTCUSDT,1,,0.5,")], CHECK, 3, "column leverage value \"0.5\": the number is between 1 and 1000"),
    ("locked above amount", &[Swap("balances.csv", "1000,", "1000,1001")], CHECK, 3, "locked is at most the amount, 1000"),
    // Names and references.
    ("control character in a name", &[Append("balances.csv", b"b\x1b[31m,,USDT,,1,\n")], CHECK, 3, "a name has no control characters"),
    ("NUL in a name", &[Append("balances.csv", b"b\0,,USDT,,1,\n")], CHECK, 3, "a name has no control characters"),
    ("space at the end of a name", &[Append("balances.csv", b"b ,,USDT,,1,\n")], CHECK, 3, "a name has no space at either end"),
    ("no account", &[Append("balances.csv", b",,USDT,,1,\n")], CHECK, 3, "balances row 2 column account: a required value is missing"),
    ("unknown asset", &[Append("balances.csv", b"b,,USTD,,1,\n")], CHECK, 3, "no such name in assets (did you mean \"USDT\"?)"),
    ("unknown instrument", &[Append("positions.csv", b"b,,BTCUSTD,1,,,\n")], CHECK, 3, "no such name in instruments (did you mean \"BTCUSDT\"?)"),
    ("unknown underlying", &[Swap("instruments.csv", "perpetual,BTC", "perpetual,ETH")], CHECK, 3, "no such name in underlyings"),
    ("reference to a refused row", &[Swap("assets.csv", "USDT,1", "USDT,x")], CHECK, 3, "it refers to a row of assets that was refused"),
    ("repeated asset", &[Append("assets.csv", b"BTC,1,coin\n")], CHECK, 3, "assets row 3 column asset value \"BTC\": names are unique; row 1 has the same"),
    ("repeated instrument", &[Append("instruments.csv", b"BTCUSDT,perpetual,BTC,linear,USDT,1,,,,,\n")], CHECK, 3, "names are unique; row 1 has the same"),
    ("repeated position", &[Append("positions.csv", b"a,main,BTCUSDT,2,,,\n")], CHECK, 3, "positions row 2 column instrument value \"BTCUSDT\": one row for each instrument and side of a pool; row 1 is the first"),
    ("repeated balance", &[Append("balances.csv", b"a,main,USDT,,2,\n")], CHECK, 3, "one row for each asset and network of a pool; row 1 is the first"),
    // Instruments.
    ("misspelled kind", &[Swap("instruments.csv", "perpetual", "perpetul")], CHECK, 3, "one of spot, perpetual, future, option (did you mean \"perpetual\"?)"),
    ("future without expiry", &[Swap("instruments.csv", "perpetual", "future")], CHECK, 3, "kind future needs expiry"),
    ("perpetual with a strike", &[Swap("instruments.csv", "USDT,50000,,", "USDT,50000,1,")], CHECK, 3, "kind perpetual has no strike"),
    ("expired future", &[Append("instruments.csv", b"F,future,BTC,,,1,,2026-06-26T08:00:00Z,,,\n")], CHECK, 3, "expiry is after as_of 2026-06-26T08:00:00Z"),
    ("expiry without an offset", &[Append("instruments.csv", b"F,future,BTC,,,1,,2026-12-26T08:00:00,,,\n")], CHECK, 3, "a moment is RFC 3339 with an offset"),
    ("impossible date", &[Append("instruments.csv", b"F,future,BTC,,,1,,2026-02-30T08:00:00Z,,,\n")], CHECK, 3, "a moment is RFC 3339 with an offset"),
    ("expiry without as_of", &[Content("snapshot.toml", b""), Append("instruments.csv", b"F,future,BTC,,,1,,2026-12-26T08:00:00Z,,,\n")], CHECK, 3, "snapshot.toml column as_of: a snapshot with an expiry says when it was taken"),
    ("bare option", &[Append("instruments.csv", b"O,option,BTC,,,1,,2026-12-26T08:00:00Z,call,,\n")], CHECK, 3, "kind option needs strike"),
    ("zero volatility", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,0,\n")], CHECK, 3, "column implied_volatility value \"0\""),
    ("negative volatility", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,-0.5,\n")], CHECK, 3, "instruments row 2 column implied_volatility value \"-0.5\""),
    ("volatility that is no number", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,NaN,\n")], CHECK, 3, "instruments row 2 column implied_volatility value \"NaN\": a number is finite"),
    ("option without volatility", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,,\n")], CHECK, 3, "instruments row 2 column implied_volatility: kind option needs implied_volatility"),
    ("option that expires as the snapshot is taken", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-06-26T08:00:00Z,call,0.5,\n")], CHECK, 3, "expiry is after as_of"),
    ("option that expired", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2025-06-26T08:00:00Z,call,0.5,\n")], CHECK, 3, "expiry is after as_of"),
    ("strike of zero", &[Append("instruments.csv", b"O,option,BTC,,,1,0,2026-12-26T08:00:00Z,call,0.5,\n")], CHECK, 3, "instruments row 2 column strike value \"0\": the number is positive"),
    ("negative strike", &[Append("instruments.csv", b"O,option,BTC,,,1,-9,2026-12-26T08:00:00Z,call,0.5,\n")], CHECK, 3, "column strike value \"-9\""),
    ("unknown right", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,cal,0.5,\n")], CHECK, 3, "one of call, put (did you mean \"call\"?)"),
    ("American style", &[Swap("instruments.csv", "fixed_rate\n", "fixed_rate,exercise_style\n"), Swap("instruments.csv", "50000,,,,,", "50000,,,,,,"), Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,0.5,,american\n")], CHECK, 3, "instruments row 2 column exercise_style value \"american\": only European options are priced"),
    ("forward of zero", &[Swap("instruments.csv", "fixed_rate\n", "fixed_rate,forward_price\n"), Swap("instruments.csv", "50000,,,,,", "50000,,,,,,"), Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,0.5,,0\n")], CHECK, 3, "column forward_price value \"0\""),
    ("chain row without a forward", &[Swap("chain.csv", "50000,51000,", "50000,,")], CHAIN, 3, "chain row 1 column futures_price: a required value is missing"),
    ("chain row with a negative volatility", &[Swap("chain.csv", "51000,0.5", "51000,-0.5")], CHAIN, 3, "chain row 1 column implied_volatility value \"-0.5\""),
    ("chain row whose mark no volatility gives", &[Swap("chain.csv", "51000,0.5,0.15", "51000,,1.5")], CHAIN, 3, "chain row 1 column mark_price value \"1.5\": without implied_volatility the mark gives it"),
    ("chain row without a strike", &[Swap("chain.csv", "call,50000", "call,0")], CHAIN, 3, "chain row 1 column strike value \"0\""),
    ("chain row that expired", &[Swap("chain.csv", "2026-12-25", "2026-06-25")], CHAIN, 3, "chain row 1 column expiry_datetime value \"2026-06-25T08:00:00Z\": expiry is after the timestamp"),
    ("chain row of an unknown right", &[Swap("chain.csv", ",call,", ",straddle,")], CHAIN, 3, "chain row 1 column option_type value \"straddle\": one of call, put"),
    ("American chain row", &[Swap("chain.csv", "0.15,", "0.15,american")], CHAIN, 3, "chain row 1 column exercise_style value \"american\": only European options are priced"),
    ("repeated chain row", &[Append("chain.csv", b"2026-06-26T08:00:00Z,C,call,50000,2026-12-25T08:00:00Z,BTC,50000,51000,0.5,0.15,\n")], CHAIN, 3, "chain row 2 column instrument_name value \"C\": a name stands once for each timestamp; row 1 has the same"),
    ("empty chain", &[Content("chain.csv", b"timestamp,instrument_name,option_type,strike,expiry_datetime,currency,index_price,futures_price,implied_volatility,mark_price\n")], CHAIN, 3, "the file lists no options"),
    ("missing chain", &[Delete("chain.csv")], CHAIN, 2, "chain.csv"),
    ("price in an unknown scenario", &[], PRICE, 2, "has no scenario \"dwon\" (did you mean \"down\"?)"),
    ("volatility shock of an unknown underlying", &[Append("snapshot.toml", b"[volatility_shock.BTX]\npower_up = 0.3\n")], CHECK, 3, "snapshot.toml column volatility_shock.BTX value \"BTX\": no such name in underlyings (did you mean \"BTC\"?)"),
    ("misspelled key of a volatility shock", &[Append("snapshot.toml", b"[volatility_shock]\npower_op = 0.3\n")], CHECK, 3, "the section has no such key (did you mean \"power_up\"?)"),
    ("power out of range", &[Append("snapshot.toml", b"[volatility_shock]\npower_up = 9\n")], CHECK, 3, "volatility_shock.power_up value \"9\": a number between 0 and 5"),
    ("volatility floor above its cap", &[Append("snapshot.toml", b"[volatility_shock]\nminimum = 3\nmaximum = 2.0\n")], CHECK, 3, "minimum is not above maximum"),
    ("inverse put at an index of 0", &[Append("instruments.csv", b"O,option,BTC,inverse,BTC,1000,60000,2026-12-26T08:00:00Z,put,0.5,\n"), Append("positions.csv", b"b,,O,-1,,,\n"), Append("rulebook.toml", b"[margin.O]\nmaintenance = { form = \"flat\", rate = 0.05 }\n"), Content("shocks.csv", b"scenario,price:BTC\nlost,-1\n")], SCENARIOS, 3, "scenarios row 1 column O value \"0\": a contract has a finite value; an inverse one has none at a mark, index or forward of 0"),
    ("inverse put at a forward of 0", &[Append("instruments.csv", b"O,option,BTC,inverse,BTC,1000,60000,2026-12-26T08:00:00Z,put,0.5,\n"), Append("positions.csv", b"b,,O,-1,,,\n"), Append("rulebook.toml", b"[margin.O]\nmaintenance = { form = \"flat\", rate = 0.05 }\n"), Content("shocks.csv", b"scenario,price:BTC,basis:BTC\nlost,0,-1\n")], SCENARIOS, 3, "scenarios row 1 column O value \"0\": a contract has a finite value; an inverse one has none at a mark, index or forward of 0"),
    ("discount beyond all bounds", &[Append("instruments.csv", b"O,option,BTC,inverse,BTC,1000,60000,2026-12-26T08:00:00Z,put,0.5,\n"), Append("positions.csv", b"b,,O,-1,,,\n"), Append("rulebook.toml", b"[margin.O]\nmaintenance = { form = \"flat\", rate = 0.05 }\n"), Content("shocks.csv", b"scenario,price:BTC,rate:BTC\nlost,0,-40000\n")], SCENARIOS, 3, "an option's rate · years stays within ±500"),
    ("rate out of range", &[Swap("instruments.csv", "fixed_rate\n", "fixed_rate,rate\n"), Swap("instruments.csv", "50000,,,,,", "50000,,,,,,"), Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,0.5,,-701\n")], CHECK, 3, "column rate value \"-701\": the number is between -10 and 10"),
    ("volatility out of range", &[Append("instruments.csv", b"O,option,BTC,,,1,9,2026-12-26T08:00:00Z,call,1e30,\n")], CHECK, 3, "column implied_volatility value \"1e30\": the number is positive, at most 100"),
    ("quanto without a rate", &[Swap("instruments.csv", "linear", "quanto")], CHECK, 3, "a quanto contract has a fixed rate"),
    ("inverse without its coin", &[Swap("assets.csv", "BTC,", "XBT,"), Append("instruments.csv", b"I,perpetual,BTC,inverse,,1,,,,,\n")], CHECK, 3, "no usable asset is called \"BTC\""),
    ("long leg with a negative quantity", &[Swap("positions.csv", "BTCUSDT,1,,,", "BTCUSDT,-1,,,long")], CHECK, 3, "the quantity of a long leg is"),
    ("quote with a price", &[Append("assets.csv", b"USD,1.01,\n")], CHECK, 3, "the quote currency has price 1"),
    // Routes and lots on them.
    ("lock that backs two lots", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,r,attested,k1\nb,USDT,1,r,attested,k1\n")], CHECK, 3, "balances row 2 column lock value \"k1\": a lock backs one lot; row 1 has the same"),
    ("lock of a settled lot and of one on a route", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,,,k1\nb,USDT,1,r,in_transit,k1\n")], CHECK, 3, "balances row 2 column lock value \"k1\": a lock backs one lot"),
    ("unknown status", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,r,atested,\n")], CHECK, 3, "balances row 1 column status value \"atested\": one of settled, attested, in_transit (did you mean \"attested\"?)"),
    ("status without a route", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,,attested,\n")], CHECK, 3, "balances row 1 column status value \"attested\": what is not settled stands on a route"),
    ("route without a table", &[Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,r,attested,\n")], CHECK, 3, "balances row 1 column route value \"r\": no such name in routes (add it to routes)"),
    ("misspelled route", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,rr,settled,\n")], CHECK, 3, "balances row 1 column route value \"rr\": no such name in routes"),
    ("route whose row was refused", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,-1,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,r,attested,\n")], CHECK, 3, "it refers to a row of routes that was refused"),
    ("loan on a route", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,-1,r,attested,\n")], CHECK, 3, "a loan is settled: only what is held stands on a route, not -1"),
    ("repeated lots without locks", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,r,attested,\na,USDT,2,r,attested,\n")], CHECK, 3, "balances row 2 column asset value \"USDT@r\": one row for each asset and network of a pool; row 1 is the first"),
    ("asset called like one on a route", &[Append("assets.csv", b"USDT@r,1,coin\n"), Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("balances.csv", b"account,asset,amount,route,status,lock\na,USDT,1,r,attested,\n")], CHECK, 3, "USDT@r stands for this lot, but assets has a row of that name"),
    ("route with an @ in its name", &[Append("routes.csv", b"route,finality_seconds,message_seconds\na@b,900,60\n")], CHECK, 3, "routes row 1 column route value \"a@b\": a route's name has no @ and no :"),
    ("repeated route", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Append("routes.csv", b"r,900,60\n")], CHECK, 3, "routes row 2 column route value \"r\": names are unique; row 1 has the same"),
    ("route without finality", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,,60\n")], CHECK, 3, "routes row 1 column finality_seconds: a required value is missing"),
    ("quantile below the typical time", &[Append("routes.csv", b"route,finality_seconds,finality_p99_seconds,message_seconds\nr,900,60,60\n")], CHECK, 3, "routes row 1 column finality_p99_seconds value \"60\": the 99 % quantile is at least the typical time, 900"),
    ("haircut of a route in percent", &[Append("routes.csv", b"route,finality_seconds,message_seconds,haircut\nr,900,60,5\n")], CHECK, 3, "routes row 1 column haircut value \"5\": the number is between 0 and 1 (0.05 = 5 %)"),
    ("fall that shrinks with time", &[Append("haircut_curves.csv", b"class,horizon_seconds,haircut\ncoin,7200,0.1\ncoin,3600,0.2\n")], CHECK, 3, "haircut_curves row 1 column haircut value \"0.1\": more time never makes a fall smaller; row 2 has 0.2"),
    ("repeated horizon", &[Append("haircut_curves.csv", b"class,horizon_seconds,haircut\ncoin,3600,0.1\ncoin,3600,0.2\n")], CHECK, 3, "one row for each class and horizon; row 1 has the same"),
    ("scenarios of no routes", &[], ROUTES, 2, "the snapshot has no routes: add the table routes"),
    ("delay that runs backwards", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n")], &["scenarios", "routes", ".", "--delay-hours=-1", "--out", "set.csv"], 2, "delay -1: a number of at least 0"),
    ("crossed sets that shock one route", &[Append("routes.csv", b"route,finality_seconds,message_seconds\nr,900,60\n"), Content("shocks.csv", b"scenario,price:BTC,route:r\ndown,-0.5,0\n")], &["scenarios", "routes", ".", "--cross", "shocks.csv", "--out", "set.csv"], 2, "both sets shock route:r"),
    ("haircuts for no routes", &[], &["collateral", "routes", ".", "--out", "out.toml"], 2, "the snapshot has no routes: add the table routes"),
    // Pools, orders, snapshot.toml.
    ("portfolio margin", &[Content("pools.csv", b"account,mode\na,portfolio\n")], CHECK, 3, "a pool in portfolio mode needs [requirement.portfolio] in the rulebook"),
    ("rulebook of a pool", &[Content("pools.csv", b"account,rulebook\na,other\n")], CHECK, 3, "one rulebook per run"),
    ("zero multiplier", &[Content("pools.csv", b"account,mm_multiplier\na,0\n")], CHECK, 3, "column mm_multiplier value \"0\""),
    ("repeated pool", &[Content("pools.csv", b"account,pool\na,\na,main\n")], CHECK, 3, "one row for each pool; row 1 is the first"),
    ("order without a side", &[Content("orders.csv", b"account,instrument,side,quantity,price\na,BTCUSDT,,1,1\n")], CHECK, 3, "column side: a required value is missing"),
    ("negative order", &[Content("orders.csv", b"account,instrument,side,quantity,price\na,BTCUSDT,sell,-1,1\n")], CHECK, 3, "column quantity value \"-1\""),
    ("flag that is no flag", &[Content("orders.csv", b"account,instrument,side,quantity,price,reduce_only\na,BTCUSDT,buy,1,1,yes\n")], CHECK, 3, "one of true, false"),
    ("snapshot.toml is not TOML", &[Content("snapshot.toml", b"quote USD")], CHECK, 3, "snapshot.toml: not a readable TOML file"),
    ("snapshot.toml unknown key", &[Content("snapshot.toml", b"qoute = \"USD\"")], CHECK, 3, "did you mean \"quote\"?"),
    ("snapshot.toml bad moment", &[Content("snapshot.toml", b"as_of = \"yesterday\"")], CHECK, 3, "a moment is RFC 3339 with an offset"),
    // The rulebook against the book.
    ("margin class not in the rulebook", &[Swap("rulebook.toml", "margin.BTCUSDT", "margin.BTCUSD")], CHECK, 3, "margin class of held instrument BTCUSDT is not in the rulebook (did you mean \"BTCUSD\"?)"),
    ("haircut class not in the rulebook", &[Swap("rulebook.toml", "haircut.coin", "haircut.other")], CHECK, 3, "haircut class of held asset USDT is not in the rulebook"),
    // Rulebooks.
    ("rulebook is not TOML", &[Content("rulebook.toml", b"[margin")], RULEBOOK, 2, "rulebook.toml:1: not a readable TOML file"),
    ("rulebook is not UTF-8", &[Content("rulebook.toml", b"name = \"\xff\"")], RULEBOOK, 2, "a rulebook is UTF-8 text"),
    ("missing rulebook", &[Delete("rulebook.toml")], RULEBOOK, 2, "rulebook.toml: No such file"),
    ("bad rulebook under check", &[Swap("rulebook.toml", "0.05", "5")], CHECK, 2, "between 0 and 1"),
    ("no version", &[Swap("rulebook.toml", "version = 1", "")], RULEBOOK, 2, "rulebook.toml:1 key version: a required key is missing"),
    ("later version", &[Swap("rulebook.toml", "version = 1", "version = 2")], RULEBOOK, 2, "rulebook.toml:1 key version value \"2\": this program reads version 1"),
    ("unknown key", &[Swap("rulebook.toml", "maintenance", "maintenence")], RULEBOOK, 2, "did you mean \"maintenance\"?"),
    ("unknown form", &[Swap("rulebook.toml", "flat\"", "margnal\"")], RULEBOOK, 2, "did you mean \"marginal\"?"),
    ("percent for a fraction", &[Swap("rulebook.toml", "0.05", "5")], RULEBOOK, 2, "rulebook.toml:4 key margin.BTCUSDT.maintenance.rate value \"5\": between 0 and 1 (0.05 = 5 %)"),
    ("NaN rate", &[Swap("rulebook.toml", "0.05", "nan")], RULEBOOK, 2, "a number is finite and at most 1e30"),
    ("rate in quotes", &[Swap("rulebook.toml", "0.05", "\"0.05\"")], RULEBOOK, 2, "write it without quotes"),
    ("brackets not from zero", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"marginal\", from = [1, 2], rate = [0.1, 0.2] }\n")], RULEBOOK, 2, "rulebook.toml:8 key margin.X.maintenance.from value \"1\": the first bracket starts at 0"),
    ("brackets out of order", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"marginal\", from = [0, 2, 2], rate = [0.1, 0.2, 0.3] }\n")], RULEBOOK, 2, "bounds increase strictly"),
    ("too few rates", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [0, 2], rate = [0.1] }\n")], RULEBOOK, 2, "rulebook.toml:8 key margin.X.maintenance: one rate or max_leverage for each bracket: 2, not 1"),
    ("no brackets", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [], rate = [] }\n")], RULEBOOK, 2, "at least one number"),
    ("rate and leverage", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [0], rate = [0.1], max_leverage = [10] }\n")], RULEBOOK, 2, "either rate or max_leverage"),
    ("deduction that jumps", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"marginal\", from = [0, 100], rate = [0.1, 0.2], deduction = [0, 11] }\n")], RULEBOOK, 2, "with a deduction of 10"),
    ("decreasing haircut", &[Append("rulebook.toml", b"[haircut.X]\nfrom = [0, 1]\nhaircut = [0.2, 0.1]\n")], RULEBOOK, 2, "haircuts never decrease with size"),
    ("negative max_notional", &[Append("rulebook.toml", b"[margin.X]\nmax_notional = -1\nmaintenance = { form = \"flat\", rate = 0.1 }\n")], RULEBOOK, 2, "key margin.X.max_notional value \"-1\": a positive number"),
    ("repeated class", &[Append("rulebook.toml", b"[margin.BTCUSDT]\nmaintenance = { form = \"flat\", rate = 0.1 }\n")], RULEBOOK, 2, "rulebook.toml:7: not a readable TOML file: duplicate key"),
    ("name that is a number", &[Swap("rulebook.toml", "\"base\"", "5")], RULEBOOK, 2, "rulebook.toml:2 key name value \"5\": a string"),
    ("description that is a list", &[Swap("rulebook.toml", "name", "description = []\nname")], RULEBOOK, 2, "rulebook.toml:2 key description value \"[]\": a string"),
    ("effective without an offset", &[Swap("rulebook.toml", "name = \"base\"", "effective = \"2026-06-26T08:00:00\"")], RULEBOOK, 2, "rulebook.toml:2 key effective value \"2026-06-26T08:00:00\": a moment is RFC 3339 with an offset"),
    ("effective as a local date", &[Swap("rulebook.toml", "name = \"base\"", "effective = 2026-06-26")], RULEBOOK, 2, "rulebook.toml:2 key effective value \"2026-06-26\": a moment is RFC 3339 with an offset"),
    ("misspelled order reserve", &[Swap("rulebook.toml", "name = \"base\"", "orders = \"initail\"")], RULEBOOK, 2, "one of none, initial (did you mean \"initial\"?)"),
    ("misspelled section", &[Swap("rulebook.toml", "haircut.coin", "hiarcut.coin")], RULEBOOK, 2, "rulebook.toml:5 key hiarcut: no such key here"),
    ("schedule that is a number", &[Swap("rulebook.toml", "{ form = \"flat\", rate = 0.05 }", "0.05")], RULEBOOK, 2, "rulebook.toml:4 key margin.BTCUSDT.maintenance value \"0.05\": a table (write { form = \"flat\", … })"),
    ("classes that are a number", &[Content("rulebook.toml", b"version = 1\nmargin = 5\n")], RULEBOOK, 2, "rulebook.toml:2 key margin value \"5\": a table of named tables (write [margin.NAME])"),
    ("class that is a number", &[Append("rulebook.toml", b"[haircut]\nX = 5\n")], RULEBOOK, 2, "rulebook.toml:8 key haircut.X value \"5\": a table"),
    ("schedule without a form", &[Swap("rulebook.toml", "form = \"flat\", ", "")], RULEBOOK, 2, "rulebook.toml:4 key margin.BTCUSDT.maintenance.form: a required key is missing (one of flat, marginal, whole, linear, square_root, open_interest)"),
    ("flat schedule without a rate", &[Swap("rulebook.toml", ", rate = 0.05", "")], RULEBOOK, 2, "key margin.BTCUSDT.maintenance.rate: a required key is missing"),
    ("flat schedule with brackets", &[Swap("rulebook.toml", "rate = 0.05", "rate = [0.05]")], RULEBOOK, 2, "key margin.BTCUSDT.maintenance.rate value \"[0.05]\": a number"),
    ("infinite rate", &[Swap("rulebook.toml", "0.05", "inf")], RULEBOOK, 2, "value \"inf\": a number is finite and at most 1e30"),
    ("brackets without rates", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [0] }\n")], RULEBOOK, 2, "key margin.X.maintenance.rate: a required key is missing (add rate or max_leverage)"),
    ("deduction of a whole schedule", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [0], rate = [0.1], deduction = [0] }\n")], RULEBOOK, 2, "key margin.X.maintenance.deduction: no such key here; known: form, from, rate, max_leverage"),
    ("leverage below one in a class", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [0], max_leverage = [0.5] }\n")], RULEBOOK, 2, "key margin.X.maintenance.max_leverage value \"0.5\": at least 1"),
    ("rates that are one number", &[Append("rulebook.toml", b"[margin.X]\nmaintenance = { form = \"whole\", from = [0], rate = 0.1 }\n")], RULEBOOK, 2, "value \"0.1\": a list of numbers"),
    ("bound in quotes", &[Append("rulebook.toml", b"[margin.X.maintenance]\nform = \"whole\"\nrate = [0.1]\nfrom = [\"0\"]\n")], RULEBOOK, 2, "rulebook.toml:10 key margin.X.maintenance.from value \"\\\"0\\\"\": a number"),
    ("flat haircut beside tiers", &[Swap("rulebook.toml", "flat = 0.1", "flat = 0.1\nunit = \"asset\"")], RULEBOOK, 2, "rulebook.toml:7 key haircut.coin.unit: flat has no unit without a cap"),
    ("haircut of nothing", &[Swap("rulebook.toml", "flat = 0.1", "")], RULEBOOK, 2, "rulebook.toml:5 key haircut.coin.from: a required key is missing (add the key, or flat in place of tiers)"),
    ("misspelled haircut unit", &[Swap("rulebook.toml", "flat = 0.1", "unit = \"qoute\"\nfrom = [0]\nhaircut = [0]")], RULEBOOK, 2, "one of asset, quote (did you mean \"quote\"?)"),
    ("option class without a floor", &[Append("rulebook.toml", b"[option.O]\nmaintenance = { rate = 0.1 }\n")], RULEBOOK, 2, "rulebook.toml:8 key option.O.maintenance.floor: a required key is missing"),
    ("unknown option reference", &[Append("rulebook.toml", b"[option.O]\nreference = \"spot\"\nmaintenance = { floor = 0.1 }\n")], RULEBOOK, 2, "rulebook.toml:8 key option.O.reference value \"spot\": one of index, forward, strike"),
    ("option share in percent", &[Append("rulebook.toml", b"[option.O]\nmaintenance = { floor = 10 }\n")], RULEBOOK, 2, "key option.O.maintenance.floor value \"10\": between 0 and 1"),
    ("option ratio below one", &[Append("rulebook.toml", b"[option.O]\nmaintenance = { floor = 0.1 }\ninitial_over_maintenance = 0.5\n")], RULEBOOK, 2, "rulebook.toml:9 key option.O.initial_over_maintenance value \"0.5\": 0 (none) or between 1 and 10"),
    ("option ratio in words", &[Append("rulebook.toml", b"[option.O]\nmaintenance = { floor = 0.1 }\ninitial_over_maintenance = \"one\"\n")], RULEBOOK, 2, "a number (write it without quotes)"),
    ("class of two kinds", &[Append("rulebook.toml", b"[option.BTCUSDT]\nmaintenance = { floor = 0.1 }\n")], RULEBOOK, 2, "rulebook.toml:7 key option.BTCUSDT: a class is either a margin class or an option class"),
    ("spread of an unknown class", &[Append("rulebook.toml", b"[option_spread]\nclasses = [\"O\"]\nunpaired_initial = 1\nunpaired_maintenance = 1\n")], RULEBOOK, 2, "rulebook.toml:8 key option_spread.classes value \"O\": a class of option_spread is an option class"),
    ("spread of one class without a list", &[Append("rulebook.toml", b"[option_spread]\nclasses = \"O\"\nunpaired_initial = 1\nunpaired_maintenance = 1\n")], RULEBOOK, 2, "a list of strings (write [\"NAME\"])"),
    ("negative unpaired share", &[Append("rulebook.toml", b"[option_spread]\nclasses = []\nunpaired_initial = -1\nunpaired_maintenance = 1\n")], RULEBOOK, 2, "rulebook.toml:9 key option_spread.unpaired_initial value \"-1\": between 0 and 100"),
    // Components, formulas, scalars.
    ("component of an unknown kind", &[Append("rulebook.toml", b"[component.scan]\nkind = \"gird\"\n")], RULEBOOK, 2, "rulebook.toml:8 key component.scan.kind value \"gird\": one of formula, "),
    ("component without a kind", &[Append("rulebook.toml", b"[component.scan]\nprices = [1]\n")], RULEBOOK, 2, "rulebook.toml:7 key component.scan.kind: a required key is missing"),
    ("unknown key of a component", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\ngain_shar = 1\n")], RULEBOOK, 2, "rulebook.toml:11 key component.scan.gain_shar: no such key here"),
    ("formulas in a circle", &[Append("rulebook.toml", b"[component.a]\nkind = \"formula\"\nmaintenance = \"b\"\n[component.b]\nkind = \"formula\"\nmaintenance = \"2 * a\"\n")], RULEBOOK, 2, "rulebook.toml:10 key component.b value \"b\": a formula does not name itself, nor through others (break the circle)"),
    ("product of two components", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"scan * scan\"\n")], RULEBOOK, 2, "rulebook.toml:12 key requirement.maintenance value \"scan * scan\": \"scan\" and \"scan\" both depend on the pool"),
    ("component as a divisor", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"1 / scan\"\n")], RULEBOOK, 2, "\"scan\" depends on the pool: nothing is divided by it"),
    ("unknown name in a formula", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"max(scna, 1)\"\n")], RULEBOOK, 2, "rulebook.toml:12 key requirement.maintenance value \"scna\": a name in an expression is a component, a scalar or a holding (did you mean \"scan\"?)"),
    ("unknown function", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"maxx(scan, 1)\"\n")], RULEBOOK, 2, "rulebook.toml:12 key requirement.maintenance value \"maxx(scan, 1)\": at character 1: no function maxx"),
    ("unknown part of a component", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"scan.initail\"\n")], RULEBOOK, 2, "(did you mean \"initial\"?)"),
    ("open parenthesis", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"max(scan, 1\"\n")], RULEBOOK, 2, "at character 12: an operator, \",\" or \")\" expected, not the end"),
    ("formula over zero", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"scan / 0\"\n")], RULEBOOK, 2, "a denominator is not 0"),
    ("piecewise with a step", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"piecewise(scan, 1, 1, 1, 2)\"\n")], RULEBOOK, 2, "x strictly increasing, no step"),
    ("formula that is a list", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = [\"scan\"]\n")], RULEBOOK, 2, "a formula is a string (write it in double quotes)"),
    ("underlying in a requirement", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement]\nmaintenance = \"index(underlying) * scan\"\n")], RULEBOOK, 2, "only the scalar of a margin class has an underlying"),
    ("grid without points", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\n")], RULEBOOK, 2, "rulebook.toml:7 key component.scan.prices: a grid has at least one point (add prices, points or extremes)"),
    ("grid without a range", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprices = [1]\n")], RULEBOOK, 2, "a grid in multiples of its range, with extremes or with a dampener has a range"),
    ("grid to a price of zero", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-1]\n")], RULEBOOK, 2, "rulebook.toml:10 key component.scan.prices value \"-1\": a relative move above -1"),
    ("unknown word of a component", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\nsettle_at = \"mowed\"\n")], RULEBOOK, 2, "rulebook.toml:11 key component.scan.settle_at value \"mowed\": one of moved, current (did you mean \"moved\"?)"),
    ("unknown group", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\nper = \"undelying\"\n")], RULEBOOK, 2, "(did you mean \"underlying\"?)"),
    ("cover of an unknown kind", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\nkinds = [\"options\"]\n")], RULEBOOK, 2, "rulebook.toml:11 key component.scan.kinds value \"options\": a kind of instrument (did you mean \"option\"?)"),
    ("order without a word", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\norder = [\"weight\", \"gain\"]\n")], RULEBOOK, 2, "each of weight, dampen and gain once (list all three)"),
    ("negative weight of a point", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\npoints = [{ price = 0.1, weight = -1 }]\n")], RULEBOOK, 2, "rulebook.toml:11 key component.scan.points[0].weight value \"-1\": at least 0"),
    ("tail of a set that is missing", &[Append("rulebook.toml", b"[component.r]\nkind = \"tail\"\nset = \"history\"\nmeasure = \"value_at_risk\"\nconfidence = 0.99\n")], RULEBOOK, 2, "rulebook.toml:9 key component.r.set value \"history\": one of sets (add it to sets)"),
    ("set without its file", &[Append("rulebook.toml", b"[sets.history]\nfile = \"nowhere.csv\"\n")], RULEBOOK, 2, "rulebook.toml:8 key sets.history.file value \"nowhere.csv\": the scenario file of a set can be read"),
    ("confidence in percent", &[Append("rulebook.toml", b"[sets.s]\nfile = \"shocks.csv\"\n[component.r]\nkind = \"tail\"\nset = \"s\"\nmeasure = \"value_at_risk\"\nconfidence = 99\n")], RULEBOOK, 2, "rulebook.toml:13 key component.r.confidence value \"99\": between 0.5 and 1"),
    ("portfolio without a requirement", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[requirement.portfolio]\nmaintenance = \"scan\"\n")], RULEBOOK, 2, "key requirement.maintenance: a required key is missing"),
    ("scalar over a component", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[scalar.s]\nvalue = \"2 * scan\"\n")], RULEBOOK, 2, "rulebook.toml:12 key scalar.s.value value \"scan\": a scalar is a formula over the market and other scalars"),
    ("scalars in a circle", &[Append("rulebook.toml", b"[scalar.s]\nvalue = \"t\"\n[scalar.t]\nvalue = \"s + 1\"\n")], RULEBOOK, 2, "rulebook.toml:8 key scalar.s.value value \"s\": a scalar does not name itself, nor through others"),
    ("scalar called like a component", &[Append("rulebook.toml", b"[component.scan]\nkind = \"grid\"\nprice_unit = \"relative\"\nprices = [-0.1]\n[scalar.scan]\nvalue = 1\n")], RULEBOOK, 2, "rulebook.toml:11 key scalar.scan value \"scan\": a name is either a component or a scalar"),
    ("scalar in force without a date", &[Append("rulebook.toml", b"[scalar.s]\nvalue = 1\nin_force = 1\n")], RULEBOOK, 2, "a number in force has a date"),
    ("class scaled by nothing", &[Append("rulebook.toml", b"[margin.X]\nscale = \"s\"\nmaintenance = { form = \"flat\", rate = 0.1 }\n")], RULEBOOK, 2, "rulebook.toml:8 key margin.X.scale value \"s\": one of scalar"),
    ("component that formulas cannot name", &[Append("rulebook.toml", b"[component.my-scan]\nkind = \"delta\"\n")], RULEBOOK, 2, "rulebook.toml:7 key component.my-scan value \"my-scan\": a name in formulas has letters, digits and _"),
    ("component called like a holding", &[Append("rulebook.toml", b"[component.positions]\nkind = \"delta\"\n")], RULEBOOK, 2, "formulas call a pool's own quantities positions"),
    ("multipliers too few", &[Append("rulebook.toml", b"[component.u]\nkind = \"unwind\"\nrate = 0.1\nfrom = [0, 5]\nmultiplier = [1]\n")], RULEBOOK, 2, "rulebook.toml:11 key component.u.multiplier: one multiplier for each bracket: 2, not 1"),
    ("pair of one asset", &[Append("rulebook.toml", b"[component.u]\nkind = \"depeg\"\npairs = [{ of = \"A\", against = \"A\" }]\nfrom = [0]\nrate = [0.1]\n")], RULEBOOK, 2, "a pair is of two assets"),
    ("spread of a tier too many", &[Append("rulebook.toml", b"[component.u]\nkind = \"span\"\nrange = 0.1\nspreads = [{ tiers = [1, 2], rate = 1 }]\n")], RULEBOOK, 2, "two tiers, each from 1 to 1"),
    ("spread of one leg", &[Append("rulebook.toml", b"[component.u]\nkind = \"span\"\nper = \"pool\"\nrange = 0.1\ninter = [{ legs = [{ underlying = \"A\", side = \"a\" }], rate = 0.5 }]\n")], RULEBOOK, 2, "legs on both sides, no underlying twice"),
    ("spread across groups", &[Append("rulebook.toml", b"[component.u]\nkind = \"span\"\nrange = 0.1\ninter = [{ legs = [{ underlying = \"A\", side = \"a\" }, { underlying = \"B\", side = \"b\" }], rate = 0.5 }]\n")], RULEBOOK, 2, "key component.u.per value \"underlying\": spreads between underlyings form within a group of several (set per = \"pool\")"),
    ("names without a default", &[Append("rulebook.toml", b"[component.u]\nkind = \"span\"\nrange = { BTC = 0.1 }\n")], RULEBOOK, 2, "rulebook.toml:9 key component.u.range.default: a required key is missing"),
    ("one side of two", &[Append("rulebook.toml", b"[component.u]\nkind = \"delta\"\nnet_rate = { initial = 0.1 }\n")], RULEBOOK, 2, "key component.u.net_rate.maintenance: a required key is missing"),
    // Bracket files.
    ("missing brackets", &[Delete("brackets.csv")], IMPORT, 2, "brackets.csv: No such file"),
    ("no tiers", &[Content("brackets.csv", b"symbol,tier,min_notional,max_notional,maint_margin_rate,max_leverage,cum_deduction\n")], IMPORT, 3, "the file has no brackets"),
    ("tiers with a gap in number", &[Swap("brackets.csv", "X,2", "X,3")], IMPORT, 3, "symbol X tier 3: tiers count from 1 without a gap: expected 2, found 3"),
    ("gap between tiers", &[Swap("brackets.csv", "X,2,100", "X,2,110")], IMPORT, 3, "a tier begins where the last ends: expected 100, found 110"),
    ("maintenance that jumps", &[Swap("brackets.csv", "25,1", "25,2")], IMPORT, 3, "symbol X tier 2: the maintenance margin is continuous: expected a deduction of 1, found 2"),
    ("tier that ends before it begins", &[Swap("brackets.csv", "100,200", "100,50")], IMPORT, 3, "a tier ends above its beginning"),
    ("maintenance rate in percent", &[Swap("brackets.csv", "0.02", "2")], IMPORT, 3, "between 0 and 1 (0.05 = 5 %)"),
    ("zero leverage", &[Swap("brackets.csv", "0.02,25", "0.02,0")], IMPORT, 3, "column max_leverage value \"0\""),
    // Scenario sets.
    ("missing scenario set", &[Delete("shocks.csv")], SCENARIOS, 2, "shocks.csv: No such file"),
    ("scenario set of no known format", &[], &["check", ".", "--scenarios", "snapshot.toml"], 2, "a scenario set ends in .csv, .parquet or .arrow"),
    ("empty scenario set", &[Content("shocks.csv", b"")], SCENARIOS, 3, "a scenario set has a header row"),
    ("scenario set without scenarios", &[Content("shocks.csv", b"scenario,price:BTC\n")], SCENARIOS, 3, "scenarios: at least one scenario"),
    ("text called a parquet scenario set", &[Content("shocks.parquet", b"scenario\na\n")], &["check", ".", "--scenarios", "shocks.parquet"], 3, "scenarios: "),
    ("text called an arrow scenario set", &[Content("shocks.arrow", b"scenario\na\n")], &["check", ".", "--scenarios", "shocks.arrow"], 3, "scenarios: "),
    ("UTF-16 scenario set", &[Content("shocks.csv", b"\xff\xfes\0c\0")], SCENARIOS, 3, "the header is UTF-8 text"),
    ("no scenario column", &[Swap("shocks.csv", "scenario", "scenarios")], SCENARIOS, 3, "a scenario set has a column named scenario"),
    ("misspelled factor", &[Swap("shocks.csv", "price:", "prise:")], SCENARIOS, 3, "did you mean price:BTC?"),
    ("factor without a prefix", &[Swap("shocks.csv", "price:BTC", "BTC")], SCENARIOS, 3, "did you mean price:BTC?"),
    ("factor without a name", &[Swap("shocks.csv", "price:BTC", "price:")], SCENARIOS, 3, "name what price: shocks"),
    ("factor no list knows", &[Swap("shocks.csv", "price:BTC", "sentiment:BTC")], SCENARIOS, 3, "the list of factors is closed"),
    ("repeated factor", &[Swap("shocks.csv", "label,", "price:BTC,")], SCENARIOS, 3, "column price:BTC stands once"),
    ("repeated scenario", &[Swap("shocks.csv", "up", "down")], SCENARIOS, 3, "scenarios row 2 column scenario value \"down\": ids are unique; row 1 has the same"),
    ("scenario without an id", &[Swap("shocks.csv", "up", "")], SCENARIOS, 3, "scenarios row 2 column scenario: an id is not empty"),
    ("shock that is NaN", &[Swap("shocks.csv", "-0.5", "NaN")], SCENARIOS, 3, "scenarios row 1 column price:BTC value \"NaN\": a number is finite"),
    ("shock beyond f64", &[Swap("shocks.csv", "-0.5", "1e400")], SCENARIOS, 3, "column price:BTC value \"1e400\": a number is finite"),
    ("shock in percent", &[Swap("shocks.csv", "-0.5", "-50%")], SCENARIOS, 3, "value \"-50%\": a shock or weight is a number"),
    ("shock beyond a total loss", &[Swap("shocks.csv", "-0.5", "-1.5")], SCENARIOS, 3, "scenarios row 1 column price:BTC value \"-1.5\": a price shock is finite and at least -1"),
    ("time that runs backwards", &[Swap("shocks.csv", "price:BTC", "time")], SCENARIOS, 3, "scenarios row 1 column time value \"-0.5\": a time shock is finite and at least 0"),
    ("negative weight", &[Swap("shocks.csv", "up,1", "up,-1")], SCENARIOS, 3, "scenarios row 2 column weight value \"-1\": a weight is finite and"),
    ("weights of zero", &[Swap("shocks.csv", "down,1", "down,0"), Swap("shocks.csv", "up,1", "up,0")], SCENARIOS, 3, "weights have a finite, positive sum"),
    ("short scenario", &[Append("shocks.csv", b"more,1\n")], SCENARIOS, 3, "scenarios row 3: a row has as many cells as the header: 4, not 2"),
    ("Latin-1 scenario", &[Append("shocks.csv", b"caf\xe9,1,,0\n")], SCENARIOS, 3, "scenarios row 3 column scenario value \"caf\u{fffd}\": text is UTF-8"),
    // Price panels.
    ("missing panel", &[Delete("panel.csv")], HISTORY, 2, "panel.csv: No such file"),
    ("set of no known format", &[], &["scenarios", "history", "panel.csv", "--out", "set.txt"], 2, "a scenario set ends in .csv, .parquet or .arrow"),
    ("empty panel", &[Content("panel.csv", b"")], HISTORY, 3, "panel: the file has a header row"),
    ("panel without hours", &[Swap("panel.csv", "hour", "date")], HISTORY, 3, "panel: the first column is hour, not \"date\""),
    ("panel without assets", &[Content("panel.csv", b"hour\n1\n2\n")], HISTORY, 3, "a panel has at least one asset column"),
    ("panel of one row", &[Content("panel.csv", b"hour,BTC\n490000,1\n")], HISTORY, 3, "a return needs two rows of prices"),
    ("repeated asset of a panel", &[Swap("panel.csv", "ETH", "BTC")], HISTORY, 3, "column BTC stands once"),
    ("repeated hour", &[Swap("panel.csv", "490001", "490000")], HISTORY, 3, "panel row 2 column hour value \"490000\": hours increase; the row before has 490000"),
    ("hours backwards", &[Swap("panel.csv", "490001", "480000")], HISTORY, 3, "panel row 2 column hour value \"480000\": hours increase"),
    ("fraction of an hour", &[Swap("panel.csv", "490001", "490000.5")], HISTORY, 3, "an hour is a whole number, Unix time / 3600"),
    ("hour after the end of time", &[Swap("panel.csv", "490002", "9000000000000000000")], HISTORY, 3, "an hour is Unix time / 3600"),
    ("zero price in a panel", &[Swap("panel.csv", "51000", "0")], HISTORY, 3, "panel row 2 column BTC value \"0\": a price is finite and above 0"),
    ("negative price in a panel", &[Swap("panel.csv", "51000", "-1")], HISTORY, 3, "panel row 2 column BTC value \"-1\": a price is finite and above 0"),
    ("text in a panel", &[Swap("panel.csv", "51000", "n/a")], HISTORY, 3, "panel row 2 column BTC value \"n/a\": a cell is a finite number"),
    ("wide row of a panel", &[Append("panel.csv", b"490003,1,2,3\n")], HISTORY, 3, "panel row 4: a row has as many cells as the header: 3, not 4"),
    ("too little history to filter", &[], FILTERED, 2, "2 returns are too few for 60 seed returns"),
    ("decay of the filter above one", &[], &["scenarios", "history", "panel.csv", "--filtered", "--lambda", "1.5", "--out", "set.csv"], 2, "1.5"),
    // Sweeps: inputs that are valid one by one and do not fit together.
    ("held underlying without a factor", &[Swap("shocks.csv", "price:BTC", "price:ETH")], SWEEP, 3, "a held underlying has a factor; no column price:BTC moves BTC"),
    ("beta that takes a price below zero", &[Content("underlyings.csv", b"underlying,index_price,beta\nBTC,50000,3\n")], SWEEP, 3, "scenarios row 1 column price:BTC value \"-0.5\": beta \u{b7} shock of BTC is at least \u{2212}1; beta 3 makes it -1.5"),
    (
        "inverse contract at a mark of zero",
        &[
            Append("instruments.csv", b"I,perpetual,BTC,inverse,BTC,50000,,,,,\n"),
            Append("positions.csv", b"a,,I,1,,,\n"),
            Append("rulebook.toml", b"[margin.I]\nmaintenance = { form = \"flat\", rate = 0.05 }\n"),
            Swap("shocks.csv", "-0.5", "-1"),
        ],
        SWEEP,
        3,
        "scenarios row 1 column I value \"0\": a contract has a finite value; an inverse one has none at a mark, index or forward of 0",
    ),
    ("basis that takes a mark below zero", &[Swap("shocks.csv", "label,price:BTC", "basis:BTC,price:BTC"), Swap("shocks.csv", "down,1,", "down,1,-1.5")], SWEEP, 3, "a shocked mark price is \u{2265} 0"),
    ("malformed scenario set in a sweep", &[Swap("shocks.csv", "-0.5", "-1.5")], SWEEP, 3, "a price shock is finite and at least -1"),
    ("sweep without a rulebook", &[Delete("rulebook.toml")], SWEEP, 2, "rulebook.toml: No such file"),
    ("results into a directory of something else", &[Append("results/thesis.txt", b"x")], SWEEP, 2, "results: the directory is not empty and is left alone; name another"),
    ("results into a file", &[Content("results", b"x")], SWEEP, 2, "results: exists and is not a directory"),
    ("results of another program", &[Append("results/manifest.json", b"{\"program\": \"other\"}")], SWEEP, 2, "results: the directory is not empty and is left alone; name another"),
    ("adapter for an engine without one", &[], &["sweep", ".", "--scenarios", "shocks.csv", "--engine", "cpu", "--adapter", "0", "--out", "results"], 2, "--adapter goes with --engine gpu"),
];

fn write_base(dir: &Path) {
    for (name, content) in BASE {
        std::fs::write(dir.join(name), content).expect("a writable file");
    }
}

fn apply(dir: &Path, edit: &Edit) {
    match edit {
        Swap(file, from, to) => {
            let text = std::fs::read_to_string(dir.join(file)).expect("a base file");
            assert!(text.contains(from), "{file} holds no {from:?}");
            std::fs::write(dir.join(file), text.replacen(from, to, 1)).expect("a writable file");
        }
        Append(file, bytes) => {
            let mut content = std::fs::read(dir.join(file)).unwrap_or_default();
            std::fs::create_dir_all(dir.join(file).parent().expect("a file lies in a directory")).expect("a directory");
            content.extend_from_slice(bytes);
            std::fs::write(dir.join(file), content).expect("a writable file");
        }
        Content(file, bytes) => std::fs::write(dir.join(file), bytes).expect("a writable file"),
        Delete(file) => std::fs::remove_file(dir.join(file)).expect("a base file"),
        Directory(file) => {
            std::fs::remove_file(dir.join(file)).expect("a base file");
            std::fs::create_dir(dir.join(file)).expect("a directory");
        }
    }
}

/// Exit code and stderr of the binary, run in `dir`.
fn plimsoll(dir: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the binary runs");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), stderr)
}

/// The line that holds the expected words, or the first one.
fn telling_line<'a>(stderr: &'a str, expected: &str) -> &'a str {
    stderr.lines().find(|line| line.contains(expected)).or(stderr.lines().next()).unwrap_or("").trim()
}

#[test]
fn the_base_files_are_valid() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_base(dir.path());
    for command in [CHECK, RULEBOOK, IMPORT, SCENARIOS, HISTORY, SWEEP] {
        let (exit, stderr) = plimsoll(dir.path(), command);
        assert_eq!(exit, 0, "{command:?}: {stderr}");
    }
}

#[test]
fn a_byte_order_mark_crlf_and_quotes_are_no_faults() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_base(dir.path());
    apply(dir.path(), &Content("underlyings.csv", b"\xef\xbb\xbfunderlying,index_price\r\n\"BTC\",\"50000\"\r\n"));
    apply(dir.path(), &Content("positions.csv", b"account,instrument,quantity\n"));
    let (exit, stderr) = plimsoll(dir.path(), CHECK);
    assert_eq!(exit, 0, "{stderr}");
}

#[test]
fn malformed_inputs_are_refused_with_their_own_words() {
    let mut failures = Vec::new();
    for (name, edits, command, expected_exit, expected) in CASES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        write_base(dir.path());
        edits.iter().for_each(|edit| apply(dir.path(), edit));
        let (exit, stderr) = plimsoll(dir.path(), command);
        println!("{name} | {exit} | {}", telling_line(&stderr, expected));
        if exit != *expected_exit || !stderr.contains(expected) || stderr.contains("panicked") {
            failures.push(format!("{name}: exit {exit}, expected {expected_exit} and {expected:?}:\n{stderr}"));
        }
        let refused = stderr.strip_prefix("error: configuration refused");
        for fault in refused.into_iter().flat_map(|faults| faults.lines().skip(1)) {
            let place = fault.trim().strip_prefix("rulebook.toml:").unwrap_or_default();
            if !place.starts_with(|c: char| c.is_ascii_digit()) {
                failures.push(format!("{name}: a fault without its line: {fault}"));
            }
        }
        for output in ["out.toml", "set.csv", "set.txt", "results/pools.parquet", "results/report.html"] {
            if dir.path().join(output).exists() {
                failures.push(format!("{name}: a refused command wrote {output}"));
            }
        }
    }
    println!("{} malformed inputs", CASES.len());
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), CASES.len(), failures.join("\n"));
}

#[test]
fn json_lists_the_faults_on_stdout() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    write_base(dir.path());
    apply(dir.path(), &Swap("balances.csv", "1000", "x"));
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["check", ".", "--format", "json"])
        .current_dir(dir.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(3));
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let fault = &object["faults"][0];
    assert_eq!((&fault["table"], &fault["row"], &fault["column"]), (&"balances".into(), &1.into(), &"amount".into()));
    assert_eq!(object["counts"]["balances"]["refused"], 1);
}

/// Damages a written table byte by byte: reading answers, with a fault or without one, and never panics.
#[test]
fn damaged_columnar_files_never_panic() {
    let base = tempfile::tempdir().expect("a temporary directory");
    write_base(base.path());
    let book = snapshot::read(base.path()).expect("the base is valid");
    for format in [TableFormat::Parquet, TableFormat::Arrow] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let target = dir.path().join("book");
        snapshot_write::write(&target, format, &book).expect("a written snapshot");
        let path = target.join(format!("positions.{}", format.extension()));
        let bytes = std::fs::read(&path).expect("a table");
        let (mut refused, mut tried) = (0, 0);
        for length in (0..bytes.len()).step_by(7) {
            std::fs::write(&path, &bytes[..length]).expect("a writable file");
            assert!(snapshot::read(&target).is_err(), "{format:?} cut to {length} of {} bytes", bytes.len());
        }
        for place in (0..bytes.len()).step_by(3) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            std::fs::write(&path, &damaged).expect("a writable file");
            let loaded = snapshot::read_with_faults(&target).expect("a directory");
            let counts = loaded.counts["positions"];
            assert_eq!(counts.read, counts.used + counts.refused);
            tried += 1;
            refused += u32::from(loaded.fault_count > 0);
        }
        println!("{format:?}: {refused} of {tried} single-bit damages refused, every truncation refused");
    }
}
