# `make run` starts the mail server, `make test` runs every test; `make` alone lists the rest.

.DEFAULT_GOAL := help
.PHONY: help run test check format bench bench-imap system-deps bench-deps clean

# The documented unprivileged ports; the environment and .env come first.
RUN_PORTS := SMTP_PORT=2525 SUBMISSION_PORT=2587 SUBMISSIONS_PORT=2465 IMAPS_PORT=2993 SIEVE_PORT=4190 HTTP_PORT=8000
# Debian's packages, each with the program that tests drive; a test whose program is missing is skipped.
TEST_PACKAGES := chromium:chromium clamav-daemon:clamd curl:curl fetchmail:fetchmail getmail6:getmail imapfilter:imapfilter isync:mbsync msmtp:msmtp neomutt:neomutt nodejs:node npm:npm offlineimap3:offlineimap php-cgi:php-cgi php-cli:php redis-server:redis-server roundcube-core:/usr/share/roundcube/bin/update.sh roundcube-plugins:/usr/share/roundcube/plugins/password/helpers/chpass-wrapper.py roundcube-sqlite3:sqlite3 rspamd:rspamd sieve-connect:sieve-connect spamd:spamd
BENCH_PACKAGES := dovecot-imapd:doveconf dovecot-lmtpd:/usr/lib/dovecot/lmtp openssl:openssl postfix:postfix redis-server:redis-server rspamd:rspamd
TESTS ?= -n 2 --dist loadfile
MESSAGES ?= 100000
ROUNDS ?= 3
PACKAGES := accounts routing transport mailsite

help:
	@echo 'make run          start everything on 127.0.0.1 (ports 2525 2587 2465 2993 4190 8000)'
	@echo 'make test         run the tests; TESTS="tests/mailsite -x" chooses'
	@echo 'make check        format, lint, types, import contracts, tests'
	@echo 'make format       put the format right'
	@echo 'make bench        measure this server beside Postfix with Dovecot'
	@echo 'make bench-imap   measure IMAP on 100,000 messages beside Dovecot; MESSAGES=10000 ROUNDS=1 is short'
	@echo 'make system-deps  install the Debian packages that tests drive'
	@echo 'make bench-deps   install the Debian packages that the benchmark compares with'
	@echo 'make clean        remove .venv and caches; var/ (your mail) stays'

run: .venv/run-installed
	@for pair in $(RUN_PORTS); do \
		name=$${pair%%=*}; \
		if ! printenv "$$name" >/dev/null && ! grep -qsE "^[[:space:]]*(export[[:space:]]+)?$$name[[:space:]]*=" .env; \
		then export "$$pair"; fi; \
	done; exec .venv/bin/python manage.py serve

test: .venv/test-installed
	.venv/bin/python -m pytest $(TESTS)

check: .venv/test-installed
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy $(PACKAGES)
	.venv/bin/lint-imports
	@$(MAKE) --no-print-directory test

format: .venv/test-installed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench: .venv/test-installed
	.venv/bin/python tests/benchmarks/run.py --write docs/performance.md
	.venv/bin/python tests/benchmarks/sieve_inbound.py --write docs/performance.md
	.venv/bin/python tests/benchmarks/defence_inbound.py --write docs/performance.md

# The document's table is that of the full size.
bench-imap: .venv/test-installed
	.venv/bin/python tests/benchmarks/imap.py --messages $(MESSAGES) --rounds $(ROUNDS) \
		$(if $(filter 100000,$(MESSAGES)),--write docs/performance.md)

.venv/bin/pip:
	@for python in "$(PYTHON)" python3 python3.11 python3.12 python3.13; do \
		[ -n "$$python" ] && "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
		python=; \
	done; \
	[ -n "$$python" ] || { echo 'Python 3.11 or later is missing: apt-get install python3 python3-venv' >&2; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv is missing: apt-get install python3-venv" >&2; exit 1; }; \
	"$$python" -m venv --clear .venv

.venv/run-installed: requirements.txt | .venv/bin/pip
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test-installed: requirements.txt requirements-dev.txt | .venv/bin/pip
	.venv/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/run-installed

# $(call install,PACKAGE:PROGRAM...): those whose program is missing, as root or by sudo; the lists are fetched only when apt needs them.
define install
	@PATH="$$PATH:/usr/sbin:/sbin"; missing=; for pair in $(1); do \
		command -v "$${pair#*:}" >/dev/null || missing="$$missing $${pair%%:*}"; \
	done; \
	[ -n "$$missing" ] || { echo 'Every program is installed.'; exit 0; }; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	command -v apt-get >/dev/null || { echo "apt-get is missing: install$$missing by hand" >&2; exit 1; }; \
	[ -z "$$sudo" ] || command -v sudo >/dev/null || { echo "run as root: apt-get install$$missing" >&2; exit 1; }; \
	apt() { $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq "$$@" >/dev/null; }; \
	apt install -y --no-install-recommends $$missing 2>/dev/null || \
		{ apt update && apt install -y --no-install-recommends $$missing; }
endef

system-deps:
	$(call install,$(TEST_PACKAGES))
	@cmp -s tests/node/package-lock.json tests/node/node_modules/.installed || { \
		npm ci --silent --no-audit --no-fund --prefix tests/node && \
		cp tests/node/package-lock.json tests/node/node_modules/.installed; }

bench-deps:
	$(call install,$(BENCH_PACKAGES))

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
