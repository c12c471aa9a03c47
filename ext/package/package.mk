# Installing and packaging, read by the Makefile at the top. Each package is made
# of sources here and of what is built; all end up in build/package/.
# ext/package/README.md says what each is, and for whom.

LIBDIR     ?= $(PREFIX)/lib
BINDIR     ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share/sqlite-ledger
MANDIR     ?= $(PREFIX)/share/man
PKGCONFDIR ?= $(LIBDIR)/pkgconfig

PACKAGES  := build/package
NAME      := sqlite-ledger-$(VERSION)
SCRIPTS   := $(sort $(wildcard sql/*.sql))
MAN_PAGES ?= $(sort $(wildcard ext/doc/man/*.[1-8]))
PYTHON3   ?= /usr/bin/python3

# The processor's name, as others spell it.
NPM_CPU    = $(subst aarch64,arm64,$(subst x86_64,x64,$(CPU)))
SQLPKG_CPU = $(subst aarch64,arm64,$(subst x86_64,amd64,$(CPU)))

# What is made twice of one commit is the same, byte by byte.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git --git-dir=.git log -1 \
          --format=%ct 2>/dev/null),946684800)
TAR   = tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(EPOCH)

# ---- install -----------------------------------------------------------------

# $(call man,PAGES): where each is installed
man = $(foreach p,$1,$(MANDIR)/man$(subst .,,$(suffix $p))/$(notdir $p))
INSTALLED = $(LIBDIR)/ledger.so $(BINDIR)/ledger-emulator \
  $(INCLUDEDIR)/ledger.h $(PKGCONFDIR)/sqlite-ledger.pc \
  $(addprefix $(DATADIR)/,$(SCRIPTS)) $(call man,$(MAN_PAGES))

.PHONY: install
install: all ## into $(DESTDIR)$(PREFIX): module, emulator, header, sql/, man pages
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	install -m 644 build/ledger.so $(DESTDIR)$(LIBDIR)/
	install -m 755 build/ledger-emulator $(DESTDIR)$(BINDIR)/
	install -m 644 include/ledger.h $(DESTDIR)$(INCLUDEDIR)/
	install -m 644 $(SCRIPTS) $(DESTDIR)$(DATADIR)/sql/
	sed -e 's|@VERSION@|$(VERSION)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	  -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@DATADIR@|$(DATADIR)|' \
	  ext/package/sqlite-ledger.pc.in \
	  > $(DESTDIR)$(PKGCONFDIR)/sqlite-ledger.pc
	$(foreach p,$(MAN_PAGES),install -m 644 $p $(DESTDIR)$(call man,$p) &&) :

.PHONY: uninstall
uninstall: ## remove what install has put there
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-[ ! -d $(DESTDIR)$(DATADIR) ] || \
	  rmdir $(DESTDIR)$(DATADIR)/sql $(DESTDIR)$(DATADIR)

# ---- sources -----------------------------------------------------------------

# What git knows; in a copy without git, all but what was built.
.PHONY: dist
dist: ## the sources: build/package/sqlite-ledger-<version>.tar.gz
	@mkdir -p $(PACKAGES)
	{ git --git-dir=.git ls-files 2>/dev/null || find * .ci .clang-format \
	    .clang-tidy .editorconfig .gitignore -name build -prune -o -type f \
	    ! -name '*~' ! -name '*.swp' -print; } | LC_ALL=C sort | \
	  $(TAR) --transform='s,^,$(NAME)/,' -T - -czf $(PACKAGES)/$(NAME).tar.gz

.PHONY: amalgamation
amalgamation: ## the module as one file: build/amalgamation/ledger.c, ledger.h
	$(TCLSH) ext/package/amalgamate.tcl build/amalgamation $$(git \
	  --git-dir=.git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

# ---- binaries ----------------------------------------------------------------

# $(call stage,FOLDER,FILES): a new folder in build/package with these in it
define stage
	rm -rf $(PACKAGES)/$1
	install -d $(PACKAGES)/$1
	cp -p $2 $(PACKAGES)/$1/
endef
# $(call fill,TEMPLATE,FILE): its @WORDS@ filled in
fill = sed -e 's|@VERSION@|$(VERSION)|' -e 's|@RELEASE@|$(RELEASE)|' \
  -e 's|@OS@|$(OS)|' -e 's|@NPM_CPU@|$(NPM_CPU)|' \
  -e 's|@SQLPKG@|$(OS)-$(SQLPKG_CPU)|g' ext/package/$1 > $(PACKAGES)/$2

# A folder or URL that has the archive; of a release, its page of downloads.
RELEASE ?= $(CURDIR)/$(PACKAGES)
.PHONY: sqlpkg
sqlpkg: all ## for sqlpkg: build/package/sqlpkg.json and its archive; RELEASE=URL
	$(call stage,sqlpkg,build/ledger.so LICENSE)
	$(TAR) -C $(PACKAGES)/sqlpkg -czf \
	  $(PACKAGES)/ledger-$(VERSION)-$(OS)-$(SQLPKG_CPU).tar.gz LICENSE ledger.so
	$(call fill,sqlpkg.json.in,sqlpkg.json)

.PHONY: wheel
wheel: all ## for Python: build/package/sqlite_ledger-<version>-...-<os>_<cpu>.whl
	$(call stage,wheel,ext/package/python/sqlite_ledger/*.py build/ledger.so)
	cp -rp sql $(PACKAGES)/wheel/
	SOURCE_DATE_EPOCH=$(EPOCH) $(PYTHON3) ext/package/wheel.py $(VERSION) \
	  $(OS)_$(CPU) $(PACKAGES)/wheel $(PACKAGES)

.PHONY: npm
npm: all ## for Node.js: build/package/sqlite-ledger-<version>.tgz
	$(call stage,npm,ext/package/npm/README.md ext/package/npm/index.* \
	  LICENSE build/ledger.so)
	cp -rp sql $(PACKAGES)/npm/
	$(call fill,npm/package.json.in,npm/package.json)
	cd $(PACKAGES)/npm && npm pack --silent --pack-destination ..

.PHONY: gem
gem: all ## for Ruby: build/package/sqlite-ledger-<version>-<cpu>-<os>.gem
	$(call stage,gem,ext/package/gem/README.md LICENSE)
	cp -rp ext/package/gem/lib sql $(PACKAGES)/gem/
	cp -p build/ledger.so $(PACKAGES)/gem/lib/
	$(call fill,gem/sqlite-ledger.gemspec.in,gem/sqlite-ledger.gemspec)
	cd $(PACKAGES)/gem && SOURCE_DATE_EPOCH=$(EPOCH) gem build --silent \
	  sqlite-ledger.gemspec && mv *.gem ..

# Of the source archive, so that what is shipped is what is built.
DEB := $(PACKAGES)/deb
.PHONY: deb
deb: dist ## for Debian: build/package/deb/sqlite-ledger_<version>-1_<cpu>.deb
	rm -rf $(DEB)
	install -d $(DEB)
	cp $(PACKAGES)/$(NAME).tar.gz $(DEB)/sqlite-ledger_$(VERSION).orig.tar.gz
	tar -C $(DEB) -xzf $(PACKAGES)/$(NAME).tar.gz
	cp -rp ext/package/debian $(DEB)/$(NAME)/debian
	printf 'sqlite-ledger (%s-1) unstable; urgency=medium\n\n  * %s\n\n -- %s  %s\n' \
	  $(VERSION) 'See changelog.gz beside this file.' \
	  "$$(sed -n 's/^Maintainer: //p' ext/package/debian/control)" \
	  "$$(LC_ALL=C date -R -u -d @$(EPOCH))" > $(DEB)/$(NAME)/debian/changelog
	cd $(DEB)/$(NAME) && dpkg-buildpackage -b -us -uc

.PHONY: test-packages
test-packages: deps all ## make each package, install it where nothing is, use it
	@tests/packages.sh $(TESTS)
