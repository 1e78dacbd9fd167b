# The daily commands; each is one line that can be typed by hand as well.

.PHONY: serve test full fmt lint docs bench

serve: ## run the server with its defaults
	cargo run --release -- serve

test: ## everything that CI runs as a test
	cargo test --workspace

full: ## the same tests with the big counts and the big programs (hours)
	MODKEEP_FULL=1 cargo test --workspace -- --nocapture

fmt:
	cargo fmt --all

lint: ## what CI denies; cargo-deny only where it is installed
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; fi

docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items

bench:
	cargo bench --workspace
