# The contenders: for each one procedure
#
#   contender_NAME WORK ARGUMENT ROWS
#
# that answers the command of one run. ARGUMENT is what the work's `by` has for it,
# ROWS how many it is to do. The command's last line is held against what the work
# expects, or against what expected_NAME says. before_NAME, where there is one, runs
# once before the first run, unmeasured. skip WHY ends a line that can't be measured
# here.

proc contender_before {work contender rows} {
  if {[info procs before_$contender] ne ""} { before_$contender $work $rows }
}

# ---- this module, through the sqlite3 shell --------------------------------------

proc contender_module {work sql rows} {
  module_shell $work $sql $rows
}

# The same, first asked for nothing: what is connected, and a token there.
proc contender_connected {work sql rows} {
  module_shell $work "SELECT ledger_ping(); $sql" $rows
}

# What a work needs done before, such as a history filled, its own SQL does.
proc before_module {work rows} {
  set sql [spec $work before]
  if {$sql eq ""} return
  file delete {*}[glob -nocomplain $::testdir/history*]
  if {[catch { measured [module_shell $work $sql $rows] } message]} {
    if {[dict exists [spec $work options] cache]
        && [regexp {option cache} $message]} {
      skip "not built in"
    }
    error $message
  }
}

# The shell on a new file, with the module loaded, the ledger attached and the
# reference beside it. One script: the SQL of a work, %ROWS replaced.
proc module_shell {work sql rows} {
  global world testdir ledger root
  file delete {*}[glob -nocomplain $testdir/local.db*]
  set add [spec $work options {}]
  if {[dict exists $add application]} {
    set add [list token "" tenant_id $ledger(tenant_id) \
      client_id $ledger(client_id) client_secret $ledger(client_secret) \
      authority $ledger(authority)]
  }
  set script [list "[ledger_attach_sql [string map [list %DIR $testdir] $add]];"]
  if {$world(reference) ne ""} {
    lappend script "ATTACH [quote $world(reference)] AS reference;"
  }
  lappend script "[string map [list %ROWS $rows %ROOT $root \
    %DIR $testdir] $sql];"
  put $testdir/script.sql [join $script \n]\n
  return [shell -bail $testdir/local.db ".read $testdir/script.sql"]
}

# ---- the same rows in a plain table ----------------------------------------------

proc contender_local {work sql rows} {
  list sqlite3 -batch -bail -init /dev/null $::world(reference) $sql
}

# ---- the floor: floor.c ----------------------------------------------------------

proc contender_floor {work flags rows} {
  floor_command $flags
}

# Windows as large as a page: by what a page holds, or by the ids that it covers.
proc contender_floor8 {work flags rows} {
  global world
  regexp {\d+$} $world(head) last
  set width [expr {$world(kind) eq "span" ? 100
    : max(1, $last * 1000 / max(1, $world(entries)))}]
  floor_command [concat -j 8 -w $width -e $world(head) $flags]
}

proc floor_command flags {
  global world ledger
  set names $world(sub_ledgers)
  if {[lindex $flags 0] eq "one"} {
    set flags [lrange $flags 1 end]
    set names [list [lindex $names 0]]
  }
  return [list build/bench/floor {*}$flags $ledger(url) \
    $ledger(service_certificate) $world(token_file) {*}$names]
}

# The floor counts nothing: its pages and bytes have to be those of a run that
# counts.
proc before_floor {work rows} { floor_count floor $work $rows }
proc before_floor8 {work rows} { floor_count floor8 $work $rows }
proc floor_count {contender work rows} {
  global world
  set flags [dict get [spec $work by] $contender]
  if {[string match *-r* $flags]} {
    set world(expected,$contender) ""
    return
  }
  set text [dict get [measured [contender_$contender $work "$flags -n" $rows]] text]
  lassign [split $text |] pages bytes entries
  if {$entries != $world(entries)} {
    error "the floor has $entries of $world(entries) entries"
  }
  set world(expected,$contender) $pages|$bytes|0
  set world(first) 0 ;# what it has loaded goes
}
proc expected_floor {work rows} { set ::world(expected,floor) }
proc expected_floor8 {work rows} { set ::world(expected,floor8) }

# ---- the official clients ----------------------------------------------------------

# Python's, where it is installed; PYTHON names another interpreter.
proc contender_python {work verb rows} {
  set python [expr {[info exists ::env(PYTHON)] ? $::env(PYTHON) : "/usr/bin/python3"}]
  if {![info exists ::python_client]} {
    set ::python_client [expr {![catch {
      exec $python -c "import azure.confidentialledger, azure.identity" 2>@1
    }]}]
  }
  if {!$::python_client} {
    skip "the official Python client is not here (apt-get install python3-azure)"
  }
  client_files
  list $python $::bench/client.py {*}$verb $rows $::testdir
}

# JavaScript's, from npm, where `make conformance` puts it.
proc contender_js {work verb rows} {
  if {![info exists ::js_client]} {
    catch { exec tests/conformance/conformance.sh --packages } ::js_client
    set ::js_client [lindex [split $::js_client \n] 0]
    if {$::js_client eq ""} {
      file copy -force $::bench/client.mjs build/conformance/bench.mjs
    }
  }
  if {$::js_client ne ""} { skip $::js_client }
  client_files
  list env NODE_EXTRA_CA_CERTS=$::ledger(ca_file) \
    node build/conformance/bench.mjs {*}$verb $rows $::testdir
}

# The ids that they look up, a line each.
proc client_files {} {
  global world testdir
  file delete $testdir/copy.db
  if {$world(reference) eq ""} return
  foreach table {id shuffled} {
    put $testdir/$table [join [harness_db eval \
      "SELECT id FROM reference.$table ORDER BY n"] \n]\n
  }
}

# ---- curl | jq | sqlite3 -----------------------------------------------------------

proc contender_curl {work verb rows} {
  global ledger world testdir
  foreach need {curl jq sqlite3} {
    if {[auto_execok $need] eq ""} { skip "there is no $need here" }
  }
  file delete $testdir/copy.db
  list bash $::bench/curl.sh $ledger(url) $ledger(service_certificate) \
    $world(token_file) [lindex $world(sub_ledgers) 0] $testdir/copy.db
}
