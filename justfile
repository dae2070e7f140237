# The usual commands, for those who have `just`. Every one of them is a plain command that works without it.

# what there is
default:
    @just --list

# the main job, on simulated participants; opens nothing but a local port
demo:
    cargo run --release -- demo

# every test; arguments are filters
test *filters:
    tests/run {{ filters }}

# what a change must pass
ci:
    .ci/run

# formatting and lints, in seconds
lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

# the benchmarks, with their figures
bench *names:
    cargo bench {{ names }}

# the container image
image:
    docker build -t mezhved .
