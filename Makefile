# sqlite-ledger: a SQLite module for Azure Confidential Ledger, and a local
# ledger to run it against. `make help` lists the targets.
#
# Rooms are found by wildcard: a new .c file in a room needs no line here.
# What depends on installed libraries is expanded in recipes only, so that
# `make demo` on a fresh machine may install them first.

VERSION := $(shell sed -n 's/^.define LEDGER_VERSION_[A-Z]* *//p' \
             include/ledger.h | paste -sd.)
OS      := $(shell uname -s | tr A-Z a-z)
CPU     := $(shell uname -m)

PKG_CONFIG ?= pkg-config
TCLSH      ?= tclsh
SQLITE3    ?= sqlite3
PREFIX     ?= /usr/local
DESTDIR    ?=
USE_WERROR ?= 1
JOBS       ?= 2

# ---- what is built of what -------------------------------------------------

# $(call room,NAMES): the C files of rooms and of their folders
room          = $(sort $(wildcard $(foreach r,$1,ext/$r/*.c ext/$r/*/*.c)))
MODULE_SRC   := $(call room,base receipt client sqlite)
EMULATOR_SRC := $(call room,base emulator)
UNIT_SRC     := $(sort $(wildcard tests/unit/*.c))
UNITS        := $(patsubst tests/unit/%.c,build/unit/%,$(UNIT_SRC))
UNIT_SO      := $(patsubst %,build/unit/%.so,locale syscall datafile resolve)
# Those that look inside are run with the sanitizers too (unit.test).
UNITS_ASAN   := $(addprefix build/asan/unit/,base json jsonread lru failure url)
UNITS_COVERAGE := $(subst /asan/,/coverage/,$(UNITS_ASAN))
FUZZ_SRC     := $(sort $(wildcard tests/fuzz/*.c))
FUZZ_TARGETS := $(filter-out wire,$(patsubst tests/fuzz/%.c,%,$(FUZZ_SRC)))
FUZZ_OF_EMULATOR := $(filter data request,$(FUZZ_TARGETS))
FUZZ_OF_MODULE   := $(filter-out $(FUZZ_OF_EMULATOR),$(FUZZ_TARGETS))
LOCALES      := $(addprefix build/locale/,de_DE.UTF-8 ps_AF.UTF-8 tr_TR.UTF-8)
ALL_SRC      := $(sort $(MODULE_SRC) $(EMULATOR_SRC) $(UNIT_SRC) \
                  $(FUZZ_SRC) $(wildcard tests/bench/*.c))
C_FILES      := $(sort $(wildcard include/*.h ext/*/*.[ch] ext/*/*/*.[ch] \
                  tests/*/*.[ch]))

# $(call objects,VARIANT,SOURCES)
objects = $(patsubst %.c,build/obj/$1/%.o,$2)

# ---- flags -----------------------------------------------------------------

WARN     = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
           $(if $(filter 1,$(USE_WERROR)),-Werror)
CFLAGS  ?= -O2 -g
HARDEN   = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
C11      = -std=c11 -D_GNU_SOURCE -pthread -fPIC -fvisibility=hidden $(WARN)
# A quoted include is a path from ext/.
INCLUDE  = -Iext -Iinclude
SANITIZE = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
           -fno-sanitize-recover=undefined

# Each pkg-config question is asked once, when a recipe first needs it.
once          = $(eval $1 := $(shell $(PKG_CONFIG) $2))$($1)
MODULE_PKG    = libcurl openssl libcjson
EMULATOR_PKG  = libevent libevent_openssl openssl sqlite3 libcjson
PKG_CFLAGS    = $(call once,PKG_CFLAGS,--cflags $(MODULE_PKG) $(EMULATOR_PKG))
MODULE_LIBS   = $(call once,MODULE_LIBS,--libs $(MODULE_PKG))
EMULATOR_LIBS = $(call once,EMULATOR_LIBS,--libs $(EMULATOR_PKG))

# nodelete: SQLite unloads a module whose load failed, and what it registered
# may be in use; libcurl's global state stays, too.
LDFLAGS_MODULE   = -shared -Wl,-soname,ledger.so -Wl,--no-undefined \
                   -Wl,-z,relro -Wl,-z,now -Wl,-z,nodelete
LDFLAGS_EMULATOR = -pie -Wl,-z,relro -Wl,-z,now

# Per variant: its optimiser and sanitizer flags, and where its results go.
FLAGS_release = $(CFLAGS) $(HARDEN)
FLAGS_asan    = $(SANITIZE)
FLAGS_coverage = -O0 -g --coverage -fprofile-update=atomic \
                 -Wl,--exclude-libs,libgcov.a
FLAGS_fuzz    = $(SANITIZE) -fsanitize=fuzzer-no-link -DSQLITE_CORE
FLAGS_tsan    = -O1 -g -fno-omit-frame-pointer -fsanitize=thread
OUT_release   = build
OUT_asan      = build/asan
OUT_coverage  = build/coverage
OUT_fuzz      = build/fuzz
OUT_tsan      = build/tsan

# ---- what is shown ---------------------------------------------------------

# V=1 shows commands; else a line says what is made of what. demo and shell are
# there to be looked at: of their build one line tells.
Q := $(if $(filter 1,$(V)),,@)
ifneq ($(filter demo shell,$(MAKECMDGOALS)),)
say =
else
say = $(if $Q,@printf '  %-5s %s\n' $1 $2)
endif

# ---- targets ---------------------------------------------------------------

.PHONY: all
all: build/ledger.so build/ledger-emulator ## build module and emulator

# The goals that install what is missing before anything is compiled.
COMPLETE := demo shell doc html test test-packages test-asan test-tsan test-valgrind test-locale \
  coverage mutate night bench fuzz lint conformance
ifneq ($(filter deps $(COMPLETE),$(MAKECMDGOALS)),)
DEPS := deps
else
DEPS := ready
endif

.PHONY: deps
deps: ## install what is missing (apt), or say what is
	@tests/deps.sh $(if $(filter lint,$(MAKECMDGOALS)),--lint) \
	  $(if $(filter test-valgrind,$(MAKECMDGOALS)),--valgrind) \
	  $(if $(filter deps fuzz,$(MAKECMDGOALS)),--fuzz) \
	  $(if $(filter html,$(MAKECMDGOALS)),--html) \
	  $(if $(filter deps test test-% coverage mutate,$(MAKECMDGOALS)),--test)
	$(if $(filter demo shell,$(MAKECMDGOALS)),@[ -e build/ledger.so ] || \
	  echo "building: a minute or so (V=1 shows how)")

# All else installs nothing, and says so where something is missing.
.PHONY: ready
ready:
	@tests/deps.sh --check

.PHONY: demo
demo: deps all ## start a local ledger and run sql/demo.sql on it
	@tests/with-emulator.sh -- $(SQLITE3) -batch -bail -init /dev/null \
	  -cmd '.load ./build/ledger' :memory: < sql/demo.sql

.PHONY: shell
shell: deps all ## the sqlite3 shell on a local ledger of its own
	@tests/with-emulator.sh -- sh -c 'trap : INT; "$$@" || [ -t 0 ]' sh $(SQLITE3) \
	  -cmd '.load ./build/ledger' -cmd '.read sql/shell.sql'

# What some test files run besides the module and the emulator.
.PHONY: units units-asan
units: $(UNITS) $(UNIT_SO) $(LOCALES)
units-asan: units $(UNITS_ASAN)

.PHONY: test
test: deps all units ## run the tests; TESTS='outbox read/tags' selects
	@$(TCLSH) tests/harness/run.tcl -j $(JOBS) $(TESTS)

.PHONY: test-asan
test-asan: deps build/asan/ledger.so build/asan/ledger-emulator units-asan ## with ASan and UBSan
	@$(TCLSH) tests/harness/run.tcl -j $(JOBS) -asan $(TESTS)

.PHONY: test-tsan
test-tsan: deps all units build/tsan/ledger.so build/tsan/unit/crowd ## threads, under TSan
	@$(TCLSH) tests/harness/run.tcl tests/hosts/races.tcl

.PHONY: test-valgrind
test-valgrind: deps all units ## a few test files under valgrind; TESTS= selects
	@$(TCLSH) tests/harness/run.tcl -j $(JOBS) -valgrind $(TESTS)

# What reads and writes most that a machine reads.
LOCALE     ?= de_DE.UTF-8
LOCALE_SET := append/append append/answer append/wait_ended attach/attach \
  audit/audit call/errors call/log credential/application credential/managed \
  docs/doctor docs/readme hosts/surface outbox/outbox read/lookup read/range \
  read/tags read/txid receipt/forged receipt/receipts tables/execute \
  tables/programmability tables/quotes tables/versions trust/identity unit/unit \
  users/users
.PHONY: test-hosts
test-hosts: all amalgamation ## the module in each program that hosts SQLite; MACHINE=FOLDER of another Debian
	@tests/hosts/hosts.sh $(TESTS)

.PHONY: test-aarch64
test-aarch64: ## cross-built, and run by qemu: unit tests, receipts, a session
	@tests/hosts/aarch64.sh

.PHONY: test-locale
test-locale: deps all units ## core files in a host of another locale; LOCALE=tr_TR.UTF-8
	@$(TCLSH) tests/harness/run.tcl -j $(JOBS) -locale $(LOCALE) \
	  $(or $(TESTS),$(LOCALE_SET))

.PHONY: coverage
coverage: deps units build/coverage/ledger.so $(UNITS_COVERAGE) build/ledger-emulator ## lines of the module that the tests run, per room; TESTS= selects
	@find build/obj/coverage -name '*.gcda' -delete
	@LEDGER_MODULE=./build/coverage/ledger \
	  LEDGER_EMULATOR=./build/ledger-emulator $(TCLSH) \
	  tests/harness/run.tcl -j $(JOBS) -dir build/coverage/test $(TESTS); :
	@$(TCLSH) tests/coverage/coverage.tcl build/obj/coverage/ext

.PHONY: mutate
mutate: deps all units ## do the tests notice mutants of the safety rules? MUTATE=10 of them, by the date
	@$(TCLSH) tests/mutate/mutate.tcl $(MUTATE)

.PHONY: night
night: deps all units ## the long form of every test, one after another: hours; a table at the end
	@tests/night.sh $(NIGHT)

SUITE ?= bookworm
.PHONY: test-fresh
test-fresh: ## demo and test on a bare Debian (root); SUITE=bookworm, trixie
	@tests/fresh.sh $(SUITE)

.PHONY: conformance
conformance: deps all ## the official JavaScript and Python clients, and the API's OpenAPI files
	@tests/conformance/conformance.sh

# What it runs besides the module and the emulator.
BENCH_PROGRAMS := $(addprefix build/bench/,floor measure)
.PHONY: bench
bench: deps all $(BENCH_PROGRAMS) ## every contender at the same work; BENCH='quick', 'full', 'scan 20'
	@$(TCLSH) tests/bench/bench.tcl $(BENCH)

.PHONY: bench-readme
bench-readme: ## the ratios of the last bench, into README.md
	@$(TCLSH) tests/bench/readme.tcl build/bench.json README.md

FUZZ_SECONDS ?= 30
.PHONY: fuzz
fuzz: deps $(addprefix build/fuzz/,$(or $(FUZZ),$(FUZZ_TARGETS))) ## under libFuzzer; FUZZ='page match' selects, FUZZ_SECONDS=30, FUZZ_SEED=1
	@$(TCLSH) tests/fuzz/run.tcl -j $(JOBS) $(FUZZ_SECONDS) $(or $(FUZZ),$(FUZZ_TARGETS))

.PHONY: lint
lint: deps all ## style, rooms, formatting, clang-tidy, cppcheck
	@tests/lint/lint.sh -I$(OUT_release) $(INCLUDE) $(C11) $(PKG_CFLAGS)

# What they have found so far, and what it is: tests/lint/README.md.
.PHONY: analyze
analyze: ready build/version.h ## gcc -fanalyzer and clang --analyze read ext/; no finding is an error
	@for f in $(sort $(MODULE_SRC) $(EMULATOR_SRC)); do \
	  for c in 'gcc -fanalyzer -c -o /dev/null' 'clang --analyze -o /dev/null'; do \
	    $$c -O2 -Ibuild $(INCLUDE) $(filter-out -W%,$(C11)) $(PKG_CFLAGS) $$f 2>&1; \
	  done; done | grep --line-buffered ': warning: '; :

.PHONY: rooms
rooms: all ## the table of calls between the rooms (folders) of ext/
	@$(TCLSH) tests/lint/rooms.tcl build/obj/release/ext -print

.PHONY: format
format: ## let clang-format write every C file
	clang-format -i $(C_FILES)

.PHONY: doc
doc: deps all ## the reference and the man pages in ext/doc, from module and emulator
	@tests/with-emulator.sh -- $(TCLSH) ext/doc/pages.tcl

.PHONY: html
html: deps ## README and all pages of ext/doc, in build/html
	@$(TCLSH) ext/doc/html.tcl build/html && echo build/html/index.html

include ext/package/package.mk

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile ext/package/package.mk | \
	  while IFS="$$(printf '\t')" read -r t d; do \
	    printf '  make %-14s %s\n' "$$t" "$$d"; done

# ---- rules -----------------------------------------------------------------

.DELETE_ON_ERROR:
.SECONDARY:

# $(eval $(call variant,NAME)): objects, module and emulator of one variant.
define variant
build/obj/$1/%.o: %.c | $$(DEPS) $$(OUT_$1)/version.h
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$Q$$(CC) $$(C11) $$(FLAGS_$1) $$(INCLUDE) -I$$(OUT_$1) $$(PKG_CFLAGS) -MMD -MP \
	  -c $$< -o $$@

$$(OUT_$1)/ledger.so: $$(call objects,$1,$$(MODULE_SRC))
	$$(call say,LINK,$$@)
	$$Q$$(CC) $$(FLAGS_$1) $$(LDFLAGS_MODULE) $$(LDFLAGS) -o $$@ $$^ \
	  $$(MODULE_LIBS) -pthread

$$(OUT_$1)/ledger-emulator: $$(call objects,$1,$$(EMULATOR_SRC))
	$$(call say,LINK,$$@)
	$$Q$$(CC) $$(FLAGS_$1) $$(LDFLAGS_EMULATOR) $$(LDFLAGS) -o $$@ $$^ \
	  $$(EMULATOR_LIBS) -pthread -lm

# What ledger_debug() tells of the build; written only when it changes.
$$(OUT_$1)/version.h: FORCE
	@mkdir -p $$(@D)
	@commit=$$$$(git --git-dir=.git rev-parse --short=12 HEAD \
	  2>/dev/null || echo unknown); \
	printf '%s\n' '/* Written by make: what was built, and how. */' \
	  "#define LEDGER_COMMIT \"$$$$commit\"" \
	  '#define LEDGER_BUILD_FLAGS "$$(strip $$(FLAGS_$1))"' > $$@.new; \
	if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi

-include $$(patsubst %.o,%.d,$$(call objects,$1,$$(ALL_SRC)))
endef

.PHONY: FORCE
FORCE:

# What test files run of tests/unit: one program per file, with ext/base.
UNIT_NET = $(patsubst %,ext/client/net/%.c,failure url)
$(addprefix build/unit/,failure url): $(call objects,release,$(UNIT_NET))
$(addprefix build/asan/unit/,failure url): $(call objects,asan,$(UNIT_NET))
$(addprefix build/coverage/unit/,failure url): \
  $(call objects,coverage,$(UNIT_NET))
$(foreach o,unit asan/unit coverage/unit,$(addprefix build/$o/,failure url)): \
  UNIT_LIBS = $(MODULE_LIBS)
build/unit/%: build/obj/release/tests/unit/%.o \
              $(call objects,release,$(wildcard ext/base/*.c))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(FLAGS_release) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS) \
	  $(EMULATOR_LIBS) -pthread
build/asan/unit/%: build/obj/asan/tests/unit/%.o \
                   $(call objects,asan,$(wildcard ext/base/*.c))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(FLAGS_asan) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS) \
	  $(EMULATOR_LIBS) -pthread
build/coverage/unit/%: build/obj/coverage/tests/unit/%.o \
                       $(call objects,coverage,$(wildcard ext/base/*.c))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(FLAGS_coverage) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS) \
	  $(EMULATOR_LIBS) -pthread

build/tsan/unit/%: build/obj/tsan/tests/unit/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(FLAGS_tsan) $(LDFLAGS) -o $@ $^ $(EMULATOR_LIBS) -pthread

# What it defines each library finds before the C library's.
build/unit/calls: LDFLAGS += -rdynamic

build/bench/%: build/obj/release/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(FLAGS_release) $(LDFLAGS) -o $@ $^ $(MODULE_LIBS)

# What tests load into a process: a host's locale, system calls of the emulator
# that fail, its data file, names and routes.
build/unit/locale.so: tests/hosts/locale.c
build/unit/syscall.so: tests/emulator/syscall.c
build/unit/datafile.so: tests/emulator/datafile.c ext/emulator/store/pages.c
build/unit/resolve.so: tests/call/resolve.c
$(UNIT_SO): | $(DEPS)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Q$(CC) $(C11) $(INCLUDE) $(FLAGS_release) -shared $(LDFLAGS) -o $@ $<

# Locales for the tests, where the C library's sources of them are installed.
build/locale/%: | $(DEPS)
	@mkdir -p build/locale
	$(call say,LOCALE,$*)
	@rm -rf $@.new; localedef -i $(basename $*) -f UTF-8 $(CURDIR)/$@.new \
	  >/dev/null 2>&1; mv $@.new $@ 2>/dev/null || echo "no locale $* here"

# Fuzz targets, each with all of the module or all of the emulator. Of the module
# its network and its clock are played by wire.c.
build/obj/fuzz/%: CC = clang
$(addprefix build/fuzz/,$(FUZZ_OF_MODULE)): build/fuzz/%: \
  build/obj/fuzz/tests/fuzz/%.o build/obj/fuzz/tests/fuzz/wire.o \
  $(filter-out %/base/clock.o,$(call objects,fuzz,$(MODULE_SRC)))
$(addprefix build/fuzz/,$(FUZZ_OF_EMULATOR)): build/fuzz/%: \
  build/obj/fuzz/tests/fuzz/%.o \
  $(filter-out %/emulator/main.o,$(call objects,fuzz,$(EMULATOR_SRC)))
$(addprefix build/fuzz/,$(FUZZ_TARGETS)):
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$Qclang $(FLAGS_fuzz) -fsanitize=fuzzer $(LDFLAGS) -o $@ $^ \
	  $(MODULE_LIBS) $(EMULATOR_LIBS) -pthread -lm

$(eval $(call variant,release))
$(eval $(call variant,asan))
$(eval $(call variant,coverage))
$(eval $(call variant,fuzz))
$(eval $(call variant,tsan))
