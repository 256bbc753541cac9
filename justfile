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
