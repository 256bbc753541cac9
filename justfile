# The report of the month that the project starts from.
report month="2016-02":
    cargo run -- report {{month}}

test:
    cargo test

# Everything that CI checks.
ci:
    .ci/run

# Ingest killed at random: `just kills 50`.
kills n="50":
    ESSOR_KILLS={{n}} cargo test --test it kill -- --nocapture

# Ingest killed at N more of its steps on disk, each finished by a next run: `just faults 100`. It goes on where it ended.
faults n="100":
    ESSOR_FAULTS={{n}} cargo test --test it faults::killed_at_any_step -- --nocapture

# Power cut at N more of its steps on disk: what was not synced is taken back.
powerloss n="100":
    ESSOR_FAULTS={{n}} cargo test --test it faults::a_power_cut -- --nocapture

# So many processes at one store, each with so many loads: `just crowd 8 25`.
crowd processes="8" loads="25":
    ESSOR_CROWD={{processes}} ESSOR_CROWD_LOADS={{loads}} cargo test --test it crowd::a_crowd -- --nocapture

# Parsers given broken input, so many times each: `just mutations 10000 7`.
mutations n="1000" seed="1":
    ESSOR_MUTATIONS={{n}} ESSOR_SEED={{seed}} cargo test --test it mutations -- --nocapture

# Figures beside DuckDB's, in one run (needs Python with duckdb): see benches/README.md.
bench rows="10000000":
    cargo build --release
    python3 benches/peers.py --rows {{rows}}

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# A real Matrix Synapse, on SQLite and on PostgreSQL, beside what essor counts of it: `just synapse sqlite` for one of them.
# Installs matrix-synapse from PyPI into a throw-away environment; PostgreSQL must be installed.
synapse *databases:
    cargo build
    python3 tests/real/synapse.py --essor "${CARGO_TARGET_DIR:-target}/debug/essor" {{databases}}

# Figures and statements beside answers worked out in plain Python, over N random sets: `just oracle-figures 100`.
oracle-figures n="20":
    cargo build
    python3 tests/oracle/figures.py --essor "${CARGO_TARGET_DIR:-target}/debug/essor" --sets {{n}}
