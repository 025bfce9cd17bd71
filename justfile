# Everything CI runs, by the same names. `just` alone lists the recipes.

_default:
    @just --list --unsorted

# What must pass before a merge
ci:
    .ci/run

# Run the tests (add a name to run some)
test *args:
    ./test {{ args }}

# Hunt through seeds for what must never happen; ends with the shortest story of the first one
simulate *args:
    cargo run --quiet -p simulator -- {{ args }}

# Format in place
fmt:
    cargo fmt --all

fmt-check:
    cargo fmt --all -- --check

# Lints; warnings are errors here, not while you edit
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Docs, private items too: broken links are errors
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items

# Licences, banned crates, sources
deny:
    dist/tools
    PATH="$PWD/target/tools/bin:$PATH" cargo deny check bans licenses sources

# What is handed out, into dist/out: zip, tarball, package
release:
    dist/release

# How fast and how small, as ratios taken in one run
bench:
    cargo bench -p closte-sync -p probe --bench '*'
