# Two commands do all the set-up: `make demo` and `make test`.

CARGO ?= cargo
DATA ?= ./clawd-data

.PHONY: demo build check test unit nightly lab-deps fmt clean-demo

demo: ## build the one binary and start it with the demo tenant
	$(CARGO) build --release --locked -p clawd
	./target/release/clawd demo --data-dir $(DATA)

build: ## build the binary
	$(CARGO) build --release --locked -p clawd

fmt:
	$(CARGO) fmt --all

check: ## the fast loop: format, clippy with warnings denied, unit tests
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked --workspace --test system -- -D warnings
	$(CARGO) test --locked --workspace --lib --bins --quiet -- --test-threads 8
	$(CARGO) test --locked --workspace --test tree --quiet

unit:
	$(CARGO) test --locked --workspace

lab-deps: ## install what the tests need, and build the lab's root file system
	./scripts/install-test-deps
	./scripts/build-lab-rootfs

test: ## everything: installs what the tests need, then runs all tests
	./scripts/test

nightly: ## the whole of the slow matrices
	CLAWD_MATRIX=full ./scripts/test

clean-demo:
	rm -rf $(DATA)
